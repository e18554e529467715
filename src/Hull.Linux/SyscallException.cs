using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>A system call that failed: which one, on what, and why.</summary>
/// <remarks>The message reads <c>operation target (detail): ERRNO (text)</c>, lower case, no full stop.</remarks>
public sealed class SyscallException : Exception
{
    public SyscallException(string operation, string? target, Errno errno, string? detail = null, string? hint = null)
        : base(Format(operation, target, errno, detail, hint))
    {
        Operation = operation;
        Target = target;
        Errno = errno;
    }

    /// <summary>The system call, as the kernel spells it: <c>mount</c>, <c>pivot_root</c>.</summary>
    public string Operation { get; }

    /// <summary>The path, descriptor or object acted on; null where the call has none.</summary>
    public string? Target { get; }

    public Errno Errno { get; }

    /// <summary>The exception for the calling thread's last failed P/Invoke (errno as saved by SetLastError).</summary>
    public static SyscallException Last(string operation, string? target = null, string? detail = null, string? hint = null) =>
        new(operation, target, LastErrno, detail, hint);

    /// <summary>The errno that the calling thread's last P/Invoke left behind.</summary>
    public static Errno LastErrno => (Errno)Marshal.GetLastPInvokeError();

    private static string Format(string operation, string? target, Errno errno, string? detail, string? hint)
    {
        string head = target is null ? operation : $"{operation} {target}";
        string middle = detail is null ? head : $"{head} ({detail})";
        string text = $"{middle}: {errno.Name()} ({errno.Text()})";
        return hint is null ? text : $"{text} ({hint})";
    }
}
