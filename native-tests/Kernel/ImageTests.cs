using System.Net;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>load, save, import, tag, rmi, images, against Debian's skopeo as the other party.</summary>
public sealed class ImageTests(HullStore store) : KernelTest(store)
{
    private string Scratch(string name) => Path.Combine(Store.Scratch, name);

    private string ImageId => Inspect(Store.Busybox, "{{.Id}}");

    [KernelTheory(Needs.Skopeo)]
    [InlineData("docker-archive:{0}:again:1")]
    [InlineData("oci-archive:{0}:again:1")]
    [InlineData("oci:{0}:again:1")]
    public void Load_WhatSkopeoWrites_Runs(string destination)
    {
        string path = Scratch("from-skopeo");
        Store.Shell($"skopeo copy -q docker-archive:{Repository.Fixture("busybox")} {string.Format(System.Globalization.CultureInfo.InvariantCulture, destination, path)}").Ok();

        string loaded = Store.Run(60, "load", "-i", path).Ok();

        Assert.Contains("again:1", loaded, StringComparison.Ordinal);
        Assert.Equal("works", Store.Run("run", "--rm", "again:1", "echo", "works").Ok());
        Store.Run("rmi", "again:1").Ok();
        Store.Shell($"rm -rf {path}").Ok();
    }

    [KernelTheory(Needs.Root)]
    [InlineData("gzip -c")]
    [InlineData("xz -c -0")]
    [InlineData("zstd -q -c")]
    public void Load_CompressedFromStandardInput_Runs(string compressor)
    {
        if (Machine.FindProgram(compressor.Split(' ')[0]) is null)
        {
            Assert.Skip($"{compressor.Split(' ')[0]} is not installed");
        }

        Store.Shell($"{compressor} {Repository.Fixture("busybox")} | $HULL load", 60).Ok();

        Assert.Equal("works", Store.Run("run", "--rm", "busybox", "echo", "works").Ok());
    }

    [KernelFact(Needs.Skopeo)]
    public void Save_Archive_IsReadBySkopeoWithTheSameConfig()
    {
        string path = Scratch("saved.tar");
        Store.Run(60, "save", "-o", path, Store.Busybox).Ok();

        string saved = Store.Shell($"skopeo inspect --config --raw docker-archive:{path} | sha256sum").Ok();
        string original = Store.Shell($"skopeo inspect --config --raw docker-archive:{Repository.Fixture("busybox")} | sha256sum").Ok();

        Assert.Equal(original, saved);
    }

    [KernelFact(Needs.Root)]
    public void Save_ToPipeAndBack_IsTheSameImage()
    {
        string before = ImageId;
        string path = Scratch("round.tar");
        Store.Shell($"$HULL save {Store.Busybox} > {path} && $HULL rmi {Store.Busybox} && $HULL load -i {path}", 60).Ok();

        Assert.Equal(before, ImageId);
    }

    [KernelFact(Needs.Root)]
    public void Load_Twice_IsOneImage()
    {
        _ = Store.Busybox;
        Store.Run(60, "load", "-i", Repository.Fixture("busybox")).Ok();

        Assert.Single(Store.Run("images", "-q", "--filter", "reference=busybox").Ok().Split('\n'));
    }

    [KernelFact(Needs.Root)]
    public void Images_Columns_AreDockers()
    {
        _ = Store.Busybox;

        string[] lines = Store.Run("images").Ok().Split('\n');

        Assert.Matches("^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE", lines[0]);
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, "^busybox +latest +[0-9a-f]{12} +.* ago +[0-9.]+[kM]B"));
    }

    [KernelFact(Needs.Root)]
    public void Tag_NewName_RunsAndGoesAlone()
    {
        Store.Run("tag", Store.Busybox, "registry.example:5000/team/box:v1").Ok();

        Assert.Equal("x", Store.Run("run", "--rm", "registry.example:5000/team/box:v1", "echo", "x").Ok());
        Assert.Contains("Untagged: registry.example:5000/team/box:v1", Store.Run("rmi", "registry.example:5000/team/box:v1").Ok(), StringComparison.Ordinal);
        Assert.Equal("x", Store.Run("run", "--rm", Store.Busybox, "echo", "x").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_ByImageIdPrefix_Works()
    {
        string id = Store.Run("images", "-q", Store.Busybox).Ok();

        Assert.Equal("x", Store.Run("run", "--rm", id, "echo", "x").Ok());
    }

    [KernelFact(Needs.Root)]
    public void RemoveImage_InUse_WantsForce()
    {
        string id = Detached("user");

        Store.Run("rmi", ImageId).Fails(1, id[..12]);
    }

    [KernelFact(Needs.Root)]
    public void Import_TreeFromPipe_IsAnImage()
    {
        Store.Shell($"tar c -C {Repository.BusyboxRootfs} . | $HULL import - imported:1", 60).Ok();

        Assert.Equal("x", Store.Run("run", "--rm", "imported:1", "/bin/echo", "x").Ok());
        Store.Run("rmi", "imported:1").Ok();
    }

    [KernelFact(Needs.Root)]
    public void Import_Url_IsAnImage_AndOnlyTheIdIsOnStandardOutput()
    {
        string archive = Path.Combine(Store.Scratch, "root.tar.gz");
        Store.Shell($"tar cz -C {Repository.BusyboxRootfs} -f {archive} .", 60).Ok();
        string host = $"127.0.0.1:{RegistryServer.FreePort()}";
        using HttpListener server = new();
        server.Prefixes.Add($"http://{host}/");
        server.Start();
        Task serving = Task.Run(async () =>
        {
            HttpListenerContext redirected = await server.GetContextAsync();
            redirected.Response.Redirect("/there/root.tar.gz");
            redirected.Response.Close();
            HttpListenerContext fetched = await server.GetContextAsync();
            fetched.Response.Close(await File.ReadAllBytesAsync(archive), willBlock: true);
            HttpListenerContext missing = await server.GetContextAsync();
            missing.Response.StatusCode = 404;
            missing.Response.Close();
        });

        RunResult import = Store.Run("import", "-c", "CMD [\"echo\", \"from afar\"]", $"http://{host}/root.tar.gz?key=1", "imported:url");
        string id = import.Ok();

        Assert.Equal($"Downloading from http://{host}/root.tar.gz", import.Stderr.Split('\n')[0]);
        Assert.Equal(id, Inspect("imported:url", "{{.Id}}"));
        Assert.Equal($"Imported from http://{host}/root.tar.gz", Inspect("imported:url", "{{.Comment}}"));
        Assert.Equal("from afar", Store.Run("run", "--rm", "imported:url").Ok());
        Store.Run("import", $"http://{host}/gone.tar").Fails(1, $"http://{host}/gone.tar: not found");
        Store.Run("import", $"ftp://{host}/root.tar").Fails(1, "expected a file, - for standard input, or a URL that begins with http:// or https://");
        serving.Wait();
        Store.Run("rmi", "imported:url").Ok();
    }

    [KernelFact(Needs.Root)]
    public void Load_Terminal_ShowsBars()
    {
        _ = Store.Busybox;
        string archive = Path.Combine(Store.Scratch, "bars.tar");
        Store.Shell($"$HULL save -o {archive} {Store.Busybox}", 60).Ok();
        using HullStore other = new();
        using Pty pty = new(Repository.Hull, ["load", "-i", archive], other.Environment());

        Assert.Equal(0, pty.Finish());

        Assert.Matches("[0-9a-f]{12}: Loading layer \\[=+>? *\\] .*B/.*B", pty.Output);
        Assert.Contains($"Loaded image: {Store.Busybox}", pty.Output, StringComparison.Ordinal);
        Assert.Equal($"Loaded image: {Store.Busybox}:latest", other.Run("load", "-i", archive).Ok());
    }

    [KernelFact(Needs.Overlay)]
    public void Load_TrickyImage_ComesOutAsItsLayersSay()
    {
        string tricky = Store.Image("tricky");
        Store.Run("run", "-d", "--name", "tricky-box", tricky, "sleep", "1000").Ok();
        string pid = Inspect("tricky-box", "{{.State.Pid}}");

        // The checker stands beside the generator; python reads the names as bytes.
        RunResult check = Store.Shell($"python3 {Path.Combine(Repository.Out, "..", "rootfs-fixtures", "tricky")} --check /proc/{pid}/root", 60);

        Assert.True(check.ExitCode == 0, check.Stdout + check.Stderr);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("empty", "")]
    [InlineData("garbage", "this is not an archive, it only looks like text, and goes on for a while")]
    public void Load_NoArchive_FailsAndLeavesNothing(string name, string content)
    {
        string path = Scratch(name);
        File.WriteAllText(path, content);
        string before = Store.Run("images", "-q").Ok();

        Store.Run("load", "-i", path).Fails(1, name == "empty" ? "empty" : path);

        Assert.Equal(before, Store.Run("images", "-q").Ok());
        AssertNoStaging();
    }

    [KernelTheory(Needs.Root)]
    [InlineData(600)]
    [InlineData(100_000)]
    [InlineData(2_000_000)]
    public void Load_TruncatedArchive_FailsAndLeavesNothing(int length)
    {
        string path = Scratch("truncated.tar");
        File.WriteAllBytes(path, File.ReadAllBytes(Repository.Fixture("debian"))[..length]);

        Store.Run("load", "-i", path).Fails(1);

        Assert.Equal("", Store.Run("images", "-q", "debian").Ok());
        AssertNoStaging();
    }

    [KernelFact(Needs.Root)]
    public void Load_HeaderDeclaresNineGigabytesAndStops_FailsAndLeavesNothing()
    {
        Store.Run("load", "-i", Repository.Fixture("tricky-truncated")).Fails(1);

        Assert.Equal("", Store.Run("images", "-q", "tricky-truncated").Ok());
        AssertNoStaging();
    }

    [KernelFact(Needs.Root)]
    public void Load_MissingFile_NamesIt()
    {
        Store.Run("load", "-i", "/no/such/archive.tar").Fails(1, "/no/such/archive.tar");
    }

    [KernelFact(Needs.Root)]
    public void Load_KilledAtAnyInstant_LeavesAStoreThatWorks()
    {
        for (int milliseconds = 1; milliseconds <= 200; milliseconds += 13)
        {
            using HullProcess load = Store.Start("load", "-i", Repository.Fixture("debian"));
            Thread.Sleep(milliseconds * Machine.TimeScale);
            load.Kill();
        }

        Store.Run(120, "load", "-i", Repository.Fixture("debian")).Ok();
        Assert.Contains("Debian", Store.Run("run", "--rm", "debian", "cat", "/etc/os-release").Ok(), StringComparison.Ordinal);
        AssertNoStaging();
        Store.Run("rmi", "debian").Ok();
    }

    private void AssertNoStaging() => Assert.Equal("", Store.Shell($"find {Store.DataRoot} -name 'new-*' | head").Ok());
}
