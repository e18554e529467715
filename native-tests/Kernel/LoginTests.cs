using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull login</c> and <c>hull logout</c> against Debian's docker-registry.</summary>
public sealed class LoginTests(HullStore store) : KernelTest(store)
{
    private string Home => Path.Combine(Store.Scratch, "home");

    private string Config => Path.Combine(Home, "config.json");

    [KernelFact(Needs.Registry)]
    public void Login_PasswordFromInput_LetsPushAndPullUntilLogout()
    {
        using RegistryServer registry = Registry();
        Store.Run("tag", Store.Busybox, $"{registry.Host}/app:1").Ok();

        WithHome($"echo wrong | $HULL login -u {RegistryServer.User} --password-stdin {registry.Host}").Fails(1, $"login to {registry.Host}: ");
        Assert.False(File.Exists(Config));

        RunResult result = WithHome($"echo {RegistryServer.Password} | $HULL login -u {RegistryServer.User} --password-stdin {registry.Host}");
        Assert.Equal("Login Succeeded", result.Ok());
        Assert.Contains($"stored unencrypted in {Config}", result.Stderr, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Config));
        WithHome($"$HULL push -q {registry.Host}/app:1 && $HULL pull -q {registry.Host}/app:1").Ok();
        Assert.Equal("Login Succeeded", WithHome($"$HULL login {registry.Host} </dev/null").Ok());

        Assert.Equal($"Removing login credentials for {registry.Host}", WithHome($"$HULL logout {registry.Host}").Ok());
        Assert.Equal($"Not logged in to {registry.Host}", WithHome($"$HULL logout {registry.Host}").Ok());
        WithHome($"$HULL pull -q {registry.Host}/app:1").Fails(1, "pull access denied");
    }

    [KernelFact(Needs.Registry)]
    public void Login_OnATerminal_AsksAndShowsNoPassword()
    {
        using RegistryServer registry = Registry();
        Dictionary<string, string?> environment = Store.Environment();
        environment["DOCKER_CONFIG"] = Home;

        using Pty terminal = new(Repository.Hull, ["login", registry.Host], environment);
        terminal.WaitForOutput("Username for ");
        terminal.Type($"{RegistryServer.User}\n");
        terminal.WaitForOutput("Password: ");
        terminal.Type($"{RegistryServer.Password}\n");

        Assert.Equal(0, terminal.Finish());
        Assert.Contains("Login Succeeded", terminal.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(RegistryServer.Password, terminal.Output, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry)]
    public void Login_CredentialHelper_KeepsAndForgets()
    {
        using RegistryServer registry = Registry();
        Directory.CreateDirectory(Home);
        File.WriteAllText(Config, "{\"credsStore\":\"hullkeep\",\"own\":true}");
        string kept = Path.Combine(Store.Scratch, "kept");
        Store.Shell($$"""
            cat > {{Home}}/docker-credential-hullkeep <<'END'
            #!/bin/sh
            case $1 in
              store) cat > {{kept}};;
              get) cat {{kept}} 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; };;
              erase) rm {{kept}};;
            esac
            END
            chmod 755 {{Home}}/docker-credential-hullkeep
            """).Ok();

        RunResult result = WithHome($"PATH={Home}:$PATH; export PATH; echo {RegistryServer.Password} | $HULL login -u {RegistryServer.User} --password-stdin {registry.Host} && $HULL login {registry.Host} </dev/null");
        result.Ok();

        Assert.DoesNotContain("unencrypted", result.Stderr, StringComparison.Ordinal);
        Assert.Equal($"{{\"ServerURL\":\"{registry.Host}\",\"Username\":\"{RegistryServer.User}\",\"Secret\":\"{RegistryServer.Password}\"}}", File.ReadAllText(kept));
        WithHome($"PATH={Home}:$PATH $HULL logout {registry.Host}").Ok();
        Assert.False(File.Exists(kept));
        Assert.Contains("\"own\": true", File.ReadAllText(Config), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Registry)]
    public void Login_WrongUse_SaysWhatToDo()
    {
        WithHome("$HULL login 127.0.0.1:1 </dev/null").Fails(1, "standard input is no terminal (use --username with --password-stdin)");
        WithHome("echo x | $HULL login --password-stdin 127.0.0.1:1").Fails(1, "--password-stdin needs --username");
        WithHome("echo x | $HULL login -u a -p b --password-stdin 127.0.0.1:1").Fails(1, "mutually exclusive");
        WithHome("$HULL login -u a -p b 127.0.0.1:1").Fails(1, "warning: --password leaves the secret", "127.0.0.1:1 is unreachable: connection refused");
        WithHome("$HULL login -u a -p b nonsense").Fails(1, "'nonsense' is not the name of a registry");
        Assert.False(File.Exists(Config));
    }

    private RegistryServer Registry() => new(Path.Combine(Store.Scratch, "login-registry"), Store.Scratch, RegistryServer.BasicAuthentication(Store.Scratch));

    private RunResult WithHome(string command) => Store.Shell($"DOCKER_CONFIG={Home}; export DOCKER_CONFIG; {command}");

    public override void Dispose()
    {
        if (Directory.Exists(Home))
        {
            Directory.Delete(Home, recursive: true);
        }

        base.Dispose();
        GC.SuppressFinalize(this);
    }
}
