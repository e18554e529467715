using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>Files of the host that no container may read, change or find new neighbours for: a file, a directory and a
/// setuid program, with everything noted that a trespasser would leave.</summary>
public sealed class Canary : IDisposable
{
    private const string Secret = "canary-of-the-host";

    private readonly string _before;

    public Canary()
    {
        Root = Directory.CreateDirectory($"/var/tmp/hull-canary-{Guid.NewGuid().ToString("n")[..12]}").FullName;
        Shell($"cd {Root} && umask 022 && echo {Secret} > file && mkdir dir && echo {Secret} > dir/inside && cp /bin/true setuid && chmod 4755 setuid && mkfifo fifo");
        _before = Look();
    }

    /// <summary>The directory that holds all of it.</summary>
    public string Root { get; }

    public string File => $"{Root}/file";

    public string Folder => $"{Root}/dir";

    /// <summary>Nothing was added, removed, changed or touched, and the text given holds no word of it.</summary>
    public void AssertIntact(params string[] seen)
    {
        Assert.Equal(_before, Look());
        Assert.All(seen, text => Assert.DoesNotContain(Secret, text, StringComparison.Ordinal));
    }

    public void Dispose() => Shell($"rm -rf {Root}");

    /// <summary>Kind, mode, owner, inode, links, size, modification and change time of each, and its content.</summary>
    private string Look() =>
        Shell($"cd {Root} && find . -printf '%p %y %m %U %G %i %n %s %T@ %C@ %l\\n' | sort && sha256sum file setuid dir/inside");

    private static string Shell(string script)
    {
        using HullProcess process = new("/bin/sh", ["-ec", script], new Dictionary<string, string?>());
        return process.Finish().Ok();
    }
}
