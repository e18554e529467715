using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Why execve(2) refused a command, found out by looking at the file as the kernel did.</summary>
/// <remarks>ENOENT alone has four causes: no such file, no such interpreter of a script, a script whose first line ends in
/// CRLF, a dynamic program whose loader is missing.</remarks>
internal static class ExecutableDiagnosis
{
    private const int Enough = 4096;

    public static ContainerException Explain(ContainerFiles files, Process process, Errno errno) =>
        Search(files, process, out ContainerException? refused) is { } path ? ExplainFile(files, path, errno) : refused!;

    /// <summary>Looks for the command before anything executes it: what create tells its caller, as runc does, for a start that
    /// fails later has nobody to tell.</summary>
    /// <exception cref="ContainerException">There is no such command, or none with an x bit.</exception>
    public static void Check(ContainerFiles files, Process process)
    {
        if (Search(files, process, out ContainerException? refused) is null)
        {
            throw refused!;
        }
    }

    /// <summary>The file that execvp(3) would come to: regular and with an x bit.</summary>
    /// <param name="refused">Where there is none: why.</param>
    private static string? Search(ContainerFiles files, Process process, out ContainerException? refused)
    {
        string command = process.Args![0];
        refused = NotFound(command, command.Contains('/', StringComparison.Ordinal)
            ? "no such file or directory in the image"
            : "executable file not found in $PATH");
        foreach (string candidate in ExecutableSearch.Candidates(command, process.Env))
        {
            string absolute = candidate.StartsWith('/') ? candidate : $"{process.Cwd.TrimEnd('/')}/{candidate}";
            using SafeFileHandle? file = Open(files, absolute, OpenFlags.Path);
            if (file is null)
            {
                continue;
            }

            // execvp(3) goes on after a directory or a file without x bits; so does the search.
            FileMetadata metadata = Files.Stat(file, absolute);
            if (metadata.IsRegular && (metadata.Permissions & 0x49) != 0)
            {
                refused = null;
                return absolute;
            }

            refused = metadata.IsDirectory
                ? CannotExecute(absolute, "is a directory: permission denied")
                : CannotExecute(absolute, "permission denied: the file is not executable (chmod +x it in the image)");
        }

        return null;
    }

    private static ContainerException ExplainFile(ContainerFiles files, string path, Errno errno)
    {
        using SafeFileHandle? file = Open(files, path, OpenFlags.ReadOnly | OpenFlags.NonBlocking);
        byte[] head = new byte[Enough];
        int length = file is null ? 0 : Files.Read(file, head, path);
        ReadOnlySpan<byte> start = head.AsSpan(0, length);
        return errno switch
        {
            Errno.EACCES => CannotExecute(path, "permission denied: is its file system mounted noexec, or may the user not reach it?"),
            Errno.ENOENT when start.StartsWith("#!"u8) => ExplainScript(files, path, start),
            Errno.ENOENT or Errno.ELIBBAD when IsElf(start) => ExplainLoader(files, path, start),
            Errno.ENOEXEC when IsElf(start) => CannotExecute(path, ExplainArchitecture(start)),
            Errno.ENOEXEC when length == 0 => CannotExecute(path, "exec format error: the file is empty"),
            Errno.ENOEXEC when start.StartsWith("#!"u8) => CannotExecute(path, "exec format error: the line after #! names no interpreter"),
            Errno.ENOEXEC => CannotExecute(path, "exec format error: neither an ELF program nor a script that starts with #! (add a line such as #!/bin/sh)"),
            Errno.ENOENT => NotFound(path, "no such file or directory"),
            Errno.ETXTBSY => CannotExecute(path, "text file busy: another process has it open for writing"),
            Errno.E2BIG => CannotExecute(path, "argument list too long: arguments and environment exceed what execve(2) takes"),
            Errno.ENOMEM => CannotExecute(path, "cannot allocate memory for it within the container's limit (--memory)"),
            Errno.ELOOP => CannotExecute(path, "too many levels of symbolic links, or of interpreters of interpreters"),
            _ => CannotExecute(path, $"{errno.Name()} ({errno.Text()})"),
        };
    }

    private static ContainerException ExplainScript(ContainerFiles files, string path, ReadOnlySpan<byte> start)
    {
        int end = start.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = (end < 0 ? start : start[..end])[2..];
        bool carriageReturn = line.Length > 0 && line[^1] == (byte)'\r';
        string words = Encoding.UTF8.GetString(line).Trim(' ', '\t', '\r');
        string interpreter = words.Split(' ', '\t')[0];
        if (carriageReturn)
        {
            return NotFound(path, $"its first line ends in CRLF, so that the kernel looks for an interpreter '{interpreter}\\r': convert the script to Unix line ends (dos2unix)");
        }

        using SafeFileHandle? there = Open(files, interpreter, OpenFlags.Path);
        return there is null
            ? NotFound(path, $"its interpreter {interpreter} (first line: #!{words}) is not in the image")
            : NotFound(path, $"its interpreter {interpreter} is there but cannot be loaded (is it a dynamic program whose loader is missing?)");
    }

    private static ContainerException ExplainLoader(ContainerFiles files, string path, ReadOnlySpan<byte> start)
    {
        string? loader = Loader(start);
        if (loader is null)
        {
            return NotFound(path, "no such file or directory");
        }

        using SafeFileHandle? there = Open(files, loader, OpenFlags.Path);
        return there is null
            ? NotFound(path, $"it is a dynamic program and its loader {loader} is not in the image (built for another C library? link it statically, or use an image that has the library)")
            : CannotExecute(path, $"its loader {loader} cannot be used");
    }

    /// <summary>PT_INTERP of a 64- or 32-bit little-endian ELF file, elf(5).</summary>
    private static string? Loader(ReadOnlySpan<byte> elf)
    {
        bool wide = elf.Length > 64 && elf[4] == 2;
        int headers = wide ? (int)BinaryPrimitives.ReadInt64LittleEndian(elf[32..]) : elf.Length > 52 ? BinaryPrimitives.ReadInt32LittleEndian(elf[28..]) : 0;
        int size = BinaryPrimitives.ReadInt16LittleEndian(elf[(wide ? 54 : 42)..]);
        int count = BinaryPrimitives.ReadInt16LittleEndian(elf[(wide ? 56 : 44)..]);
        for (int i = 0; i < count; i++)
        {
            int at = headers + (i * size);
            if (at < 0 || size < 32 || at + size > elf.Length)
            {
                return null;
            }

            ReadOnlySpan<byte> header = elf.Slice(at, size);
            if (BinaryPrimitives.ReadInt32LittleEndian(header) != 3)
            {
                continue;
            }

            long offset = wide ? BinaryPrimitives.ReadInt64LittleEndian(header[8..]) : BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
            long length = wide ? BinaryPrimitives.ReadInt64LittleEndian(header[32..]) : BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
            return offset >= 0 && length is > 1 and < 4096 && offset + length <= elf.Length
                ? Encoding.UTF8.GetString(elf.Slice((int)offset, (int)length - 1))
                : null;
        }

        return null;
    }

    private static string ExplainArchitecture(ReadOnlySpan<byte> elf)
    {
        int machine = elf.Length > 20 ? BinaryPrimitives.ReadInt16LittleEndian(elf[18..]) : 0;
        string built = machine switch
        {
            3 => "x86 (386)",
            8 => "MIPS",
            20 or 21 => "PowerPC",
            22 => "s390x",
            40 => "ARM",
            62 => "x86-64 (amd64)",
            183 => "ARM64 (arm64)",
            243 => "RISC-V",
            258 => "LoongArch",
            _ => $"machine {machine}",
        };
        string host = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "ARM64 (arm64)" : "x86-64 (amd64)";
        return built == host
            ? "exec format error: the program is damaged"
            : $"exec format error: it is built for {built}, this host is {host} (pull the image for this platform, see --platform)";
    }

    private static bool IsElf(ReadOnlySpan<byte> start) => start.StartsWith("\u007fELF"u8);

    private static SafeFileHandle? Open(ContainerFiles files, string path, OpenFlags flags) => files.Open(path, flags);

    private static ContainerException NotFound(string command, string why) =>
        new(ContainerFault.NotFound, $"exec: \"{command}\": {why}");

    private static ContainerException CannotExecute(string command, string why) =>
        new(ContainerFault.CannotExecute, $"exec: \"{command}\": {why}");
}
