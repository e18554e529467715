using System.Diagnostics;
using System.Text;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A program that is running, with pipes on its three streams. Disposing it kills it.</summary>
public sealed class HullProcess : IDisposable
{
    private readonly Process _process;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly Task _readers;
    private readonly string _commandLine;

    public HullProcess(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        ProcessStartInfo start = new(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(false),
            StandardInputEncoding = new UTF8Encoding(false),
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        _commandLine = $"{program} {string.Join(' ', start.ArgumentList)}";
        _process = Process.Start(start)!;
        _readers = Task.WhenAll(Read(_process.StandardOutput, _stdout), Read(_process.StandardError, _stderr));
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Stdout
    {
        get
        {
            lock (_stdout)
            {
                return _stdout.ToString();
            }
        }
    }

    public string Stderr
    {
        get
        {
            lock (_stderr)
            {
                return _stderr.ToString();
            }
        }
    }

    public void Write(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    public void Write(Stream source) => source.CopyTo(_process.StandardInput.BaseStream);

    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Waits until standard output holds a text.</summary>
    public void WaitForOutput(string text, int seconds = 10) =>
        Wait.Until(() => Stdout.Contains(text, StringComparison.Ordinal), seconds,
            () => $"no \"{text}\" from {_commandLine}\nstdout: {Stdout}\nstderr: {Stderr}");

    /// <summary>Waits for the end; a program that takes longer is killed and the test fails.</summary>
    public RunResult Finish(int seconds = 30)
    {
        if (!_process.WaitForExit(TimeSpan.FromSeconds(seconds * Machine.TimeScale)))
        {
            _process.Kill();
            Assert.Fail($"still running after {seconds * Machine.TimeScale} s: {_commandLine}\nstdout: {Stdout}\nstderr: {Stderr}");
        }

        TimeSpan elapsed = _watch.Elapsed;

        // A detached child that kept the pipes open is a defect of its own: it would block every `x=$(hull run -d …)`.
        Assert.True(_readers.Wait(TimeSpan.FromSeconds(5 * Machine.TimeScale)),
            $"the output pipes stay open after the end of {_commandLine}\nstdout: {Stdout}\nstderr: {Stderr}");
        return new RunResult(_process.ExitCode, Stdout, Stderr, elapsed);
    }

    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static async Task Read(StreamReader reader, StringBuilder into)
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
        {
            lock (into)
            {
                into.Append(buffer, 0, count);
            }
        }
    }
}
