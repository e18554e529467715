using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Real images from end to end: pulled from a registry, run, talked to.</summary>
public sealed class EndToEndTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Registry | Needs.Skopeo)]
    public void Python_PulledFromALocalRegistry_RunsAModuleAndAnInteractiveInterpreter()
    {
        using RegistryServer registry = new(Path.Combine(Store.Scratch, "registry"), Store.Scratch);
        registry.Push(Store, "python", "demo/python:latest");
        string image = $"{registry.Host}/demo/python";
        Store.Run(120, "pull", image).Ok();

        Assert.Contains("Beautiful is better than ugly.", Store.Run("run", "--rm", image, "python3", "-m", "this").Ok(), StringComparison.Ordinal);

        using (Pty pty = new(Repository.Hull, ["run", "--rm", "-it", image], Store.Environment()))
        {
            pty.WaitForOutput(">>> ", 30);
            pty.Type("print(6 * 7)\r");
            pty.WaitForOutput("42");
            pty.Type("import flask, os; os.getpid()\r");
            pty.WaitForOutput("\n1");
            pty.Type("\u0004");
            Assert.Equal(0, pty.Finish());
        }

        Store.Run("rmi", image).Ok();
    }

    [KernelFact(Needs.Root)]
    public void Debian_PackageManager_Works()
    {
        string image = Store.Image("debian");

        Assert.Contains("ii  dpkg", Store.Run("run", "--rm", image, "dpkg", "-l", "dpkg").Ok(), StringComparison.Ordinal);
        Assert.Equal("12", Store.Run("run", "--rm", image, "sh", "-c", ". /etc/os-release; echo $VERSION_ID").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Nginx_InTheBackground_ServesAndStopsBySigquit()
    {
        string image = Store.Image("nginx");
        Store.Run("run", "-d", "--name", "web", image).Ok();

        // The neighbour shares the network namespace: until there are bridges, that is how two containers meet.
        Wait.Until(() => Store.Run("run", "--rm", "--network", "container:web", Store.Busybox, "wget", "-q", "-O", "-", "http://127.0.0.1/").ExitCode == 0,
            20, () => Store.Run("logs", "web").Stderr);
        string page = Store.Run("run", "--rm", "--network", "container:web", Store.Busybox, "wget", "-q", "-O", "-", "http://127.0.0.1/").Ok();

        Assert.Contains("nginx", page, StringComparison.Ordinal);
        Store.Run("stop", "web").Ok();
        Assert.Equal("0", Inspect("web", "{{.State.ExitCode}}"));
    }

    [KernelFact(Needs.Root)]
    public void Flask_OnTheHostsNetwork_AnswersARequest()
    {
        string image = Store.Image("python");
        int port = RegistryServer.FreePort();
        string program = $"from flask import Flask; a = Flask('a'); a.route('/')(lambda: 'from flask'); a.run(host='127.0.0.1', port={port})";
        Store.Run("run", "-d", "--name", "flask", "--network", "host", image, "python3", "-c", program).Ok();
        using HttpClient client = new();

        string? answer = null;
        Wait.Until(() => (answer = Ask(client, port)) is not null, 30, () => Store.Run("logs", "flask").Stderr);

        Assert.Equal("from flask", answer);
    }

    private static string? Ask(HttpClient client, int port)
    {
        try
        {
            return client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/")).GetAwaiter().GetResult();
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return null;
        }
    }
}
