namespace Hull.Kernel.Tests.Harness;

/// <summary>A store of its own for one test class: data root and exec root in fresh directories, removed at the end.</summary>
/// <remarks>The data root is under /var/tmp, not on a tmpfs: overlayfs wants trusted xattrs in its upper directory.</remarks>
public sealed class HullStore : IDisposable
{
    private readonly HashSet<string> _loaded = [];

    public HullStore()
        : this("/var/tmp")
    {
    }

    /// <summary>A store whose data root is under <paramref name="parent"/>, for example a small file system.</summary>
    internal HullStore(string parent)
    {
        Name = $"hull-test-{Guid.NewGuid().ToString("n")[..12]}";
        Scratch = Path.Combine(parent, Name);
        DataRoot = Path.Combine(Scratch, "data");
        ExecRoot = Path.Combine("/run", Name);
        Directory.CreateDirectory(Scratch, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    public string Name { get; }

    /// <summary>A directory for the test's own files; it goes with the store.</summary>
    public string Scratch { get; }

    public string DataRoot { get; }

    public string ExecRoot { get; }

    /// <summary>The name of the busybox fixture image, loaded on first use.</summary>
    public string Busybox => Image("busybox");

    /// <summary>The reference of a fixture image, loaded on first use.</summary>
    public string Image(string fixture)
    {
        if (_loaded.Add(fixture))
        {
            Run(120, "load", "-i", Repository.Fixture(fixture)).Ok();
        }

        return fixture;
    }

    /// <summary>Runs hull and waits for its end, with nothing on standard input.</summary>
    public RunResult Run(params string[] arguments) => Run(30, arguments);

    public RunResult Run(int seconds, params string[] arguments)
    {
        using HullProcess process = Start(arguments);
        process.CloseInput();
        return process.Finish(seconds);
    }

    /// <summary>Starts hull and leaves it running.</summary>
    public HullProcess Start(params string[] arguments) => new(Repository.Hull, arguments, Environment());

    /// <summary>Starts another program in the environment of this store, for example a shell that calls hull.</summary>
    public HullProcess StartProgram(string program, params string[] arguments) =>
        new(Machine.FindProgram(program) ?? program, arguments, Environment());

    /// <summary>Runs a shell command in the environment of this store, in which <c>$HULL</c> is the binary.</summary>
    public RunResult Shell(string command, int seconds = 30)
    {
        using HullProcess process = StartProgram("sh", "-c", command);
        process.CloseInput();
        return process.Finish(seconds);
    }

    /// <summary>The environment that selects this store.</summary>
    public Dictionary<string, string?> Environment() => new()
    {
        ["HULL"] = Repository.Hull,
        ["HULL_DATA_ROOT"] = DataRoot,
        ["HULL_EXEC_ROOT"] = ExecRoot,
        ["TERM"] = "xterm",
    };

    /// <summary>Removes every container of the store, running or not.</summary>
    public void RemoveContainers()
    {
        if (!Directory.Exists(Path.Combine(DataRoot, "containers")))
        {
            return;
        }

        string[] ids = Run("ps", "-aq", "--no-trunc").Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (ids.Length > 0)
        {
            Run(60, ["rm", "-f", "-v", .. ids]).Ok();
        }
    }

    /// <summary>Where the bundles' containers are recorded: <c>hull runtime --root</c>.</summary>
    public string RuntimeRoot => Path.Combine(ExecRoot, "runtime");

    /// <summary>Removes every container of a <see cref="Bundle"/>, running or not.</summary>
    public void RemoveBundles()
    {
        if (Directory.Exists(RuntimeRoot))
        {
            foreach (string container in Directory.GetDirectories(RuntimeRoot))
            {
                Run("runtime", "--root", RuntimeRoot, "delete", "--force", Path.GetFileName(container)).Ok();
            }
        }
    }

    public void Dispose()
    {
        RemoveContainers();
        Delete(Scratch);
        Delete(ExecRoot);
    }

    private static void Delete(string directory)
    {
        // rm, not Directory.Delete: a layer may hold names that are not UTF-8, which .NET cannot spell.
        using HullProcess rm = new("/bin/rm", ["-rf", "--one-file-system", directory], new Dictionary<string, string?>());
        RunResult result = rm.Finish(60);
        Assert.True(result.ExitCode == 0, result.Stderr);
    }
}
