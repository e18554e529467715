using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A program with a terminal of its own: a pseudo-terminal whose other end this test holds, as a person at a
/// keyboard does. The program is the leader of a session that has the terminal as its controlling one.</summary>
public sealed partial class Pty : IDisposable
{
    // POSIX_SPAWN_SETSID (glibc 2.26) | SETSIGDEF | SETSIGMASK: a fresh session, and the signals as a login shell has them,
    // whatever this test host ignores or blocks.
    private const short SpawnFlags = 0x80 | 0x04 | 0x08;
    private const int ReadWrite = 2;            // O_RDWR
    private const int NoControllingTerminal = 0x100;
    private const int CloseOnExec = 0x80000;
    private const nuint SetWindowSize = 0x5414; // TIOCSWINSZ
    private const nuint GetAttributes = 0x5401; // TCGETS
    private const int SpawnObjectSize = 512; // larger than glibc's posix_spawnattr_t (336 bytes) and file actions (80)

    private readonly SafeFileHandle _master;
    private readonly FileStream _stream;
    private readonly StringBuilder _output = new();
    private readonly Thread _reader;
    private readonly string _commandLine;
    private int? _status;

    public Pty(string program, string[] arguments, IReadOnlyDictionary<string, string?> environment, int rows = 24, int columns = 80)
    {
        _commandLine = $"{program} {string.Join(' ', arguments)}";
        _master = new SafeFileHandle(Check(posix_openpt(ReadWrite | NoControllingTerminal | CloseOnExec), "posix_openpt"), ownsHandle: true);
        Check(unlockpt(_master), "unlockpt");
        Check(ioctl_int(_master, 0x80045430, out int number), "ioctl TIOCGPTN");
        SlavePath = $"/dev/pts/{number}";
        Resize(rows, columns);
        Pid = Spawn(program, arguments, environment);
        _stream = new FileStream(_master, FileAccess.ReadWrite, bufferSize: 0);
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    public int Pid { get; }

    /// <summary>The program's end: <c>/dev/pts/N</c>.</summary>
    public string SlavePath { get; }

    /// <summary>All that the program has written so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Types: text, or control characters such as <c>\u0003</c> for Ctrl-C.</summary>
    public void Type(string keys) => _stream.Write(Encoding.UTF8.GetBytes(keys));

    /// <summary>Changes the window; the kernel sends SIGWINCH to the program.</summary>
    public void Resize(int rows, int columns)
    {
        WindowSize size = new() { Rows = (ushort)rows, Columns = (ushort)columns };
        Check(ioctl_size(_master, SetWindowSize, in size), "ioctl TIOCSWINSZ");
    }

    /// <summary>The terminal's modes, as <c>stty -g</c> would print them: equal before and after means restored.</summary>
    public string Modes()
    {
        // The master's TCGETS reads the one termios that both ends share.
        byte[] termios = new byte[60];
        Check(ioctl_bytes(_master, GetAttributes, termios), "ioctl TCGETS");
        return Convert.ToHexString(termios.AsSpan(0, 36));
    }

    public void WaitForOutput(string text, int seconds = 10) =>
        Wait.Until(() => Output.Contains(text, StringComparison.Ordinal), seconds,
            () => $"no \"{text}\" on the terminal of {_commandLine}; there is: {Output}");

    /// <summary>Waits for the program's end and returns its exit code, 128+N for a signal.</summary>
    public int Finish(int seconds = 30)
    {
        Wait.Until(TryReap, seconds, () => $"{_commandLine} is still running; on its terminal: {Output}");
        int status = _status!.Value;
        return (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
    }

    public void Signal(int signal) => Check(kill(Pid, signal), "kill");

    public void Dispose()
    {
        if (!TryReap())
        {
            _ = kill(Pid, 9);
            Wait.Until(TryReap, 10, () => $"{_commandLine} does not end");
        }

        _stream.Dispose();
        _master.Dispose();
    }

    private bool TryReap()
    {
        const int NoHang = 1;
        if (_status is null && waitpid(Pid, out int status, NoHang) == Pid)
        {
            _status = status;
        }

        return _status is not null;
    }

    private void Read()
    {
        byte[] buffer = new byte[4096];
        Decoder decoder = Encoding.UTF8.GetDecoder();
        char[] text = new char[buffer.Length + 4];
        try
        {
            int count;
            while ((count = _stream.Read(buffer)) > 0)
            {
                int characters = decoder.GetChars(buffer, 0, count, text, 0);
                lock (_output)
                {
                    _output.Append(text, 0, characters);
                }
            }
        }
        catch (IOException)
        {
            // EIO: the last program that had the terminal open has closed it.
        }
        catch (ObjectDisposedException)
        {
            // Dispose was called while the program was silent.
        }
    }

    private int Spawn(string program, string[] arguments, IReadOnlyDictionary<string, string?> environment)
    {
        byte[] attributes = new byte[SpawnObjectSize];
        byte[] actions = new byte[SpawnObjectSize];
        Dictionary<string, string?> all = new(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            all[(string)entry.Key] = (string?)entry.Value;
        }

        foreach ((string name, string? value) in environment)
        {
            all[name] = value;
        }

        Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
        byte[] signals = new byte[128]; // sigset_t
        Check(posix_spawnattr_setsigmask(attributes, signals), "posix_spawnattr_setsigmask");
        signals.AsSpan().Fill(0xff);
        Check(posix_spawnattr_setsigdefault(attributes, signals), "posix_spawnattr_setsigdefault");
        Check(posix_spawnattr_setflags(attributes, SpawnFlags), "posix_spawnattr_setflags");
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");

        // A session leader that opens a terminal gets it as controlling terminal.
        Check(posix_spawn_file_actions_addopen(actions, 0, SlavePath, ReadWrite, 0), "addopen");
        Check(posix_spawn_file_actions_adddup2(actions, 0, 1), "adddup2");
        Check(posix_spawn_file_actions_adddup2(actions, 0, 2), "adddup2");
        string?[] argv = [program, .. arguments, null];
        string?[] envp = [.. all.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value}")), null];
        int error = posix_spawn(out int pid, program, actions, attributes, argv, envp);
        _ = posix_spawn_file_actions_destroy(actions);
        _ = posix_spawnattr_destroy(attributes);
        Assert.True(error == 0, $"posix_spawn {program}: errno {error}");
        return pid;
    }

    private static int Check(int result, string call)
    {
        Assert.True(result >= 0, $"{call}: errno {Marshal.GetLastPInvokeError()}");
        return result;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort XPixels;
        public ushort YPixels;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_openpt(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlockpt(SafeFileHandle master);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ioctl_int(SafeFileHandle file, nuint request, out int value);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ioctl_size(SafeFileHandle file, nuint request, in WindowSize size);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ioctl_bytes(SafeFileHandle file, nuint request, byte[] value);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte[] attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte[] attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte[] attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte[] attributes, byte[] signals);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte[] attributes, byte[] signals);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte[] actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte[] actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte[] actions, int file, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte[] actions, int file, int newFile);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(out int pid, string path, byte[] actions, byte[] attributes, string?[] arguments, string?[] environment);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, out int status, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
