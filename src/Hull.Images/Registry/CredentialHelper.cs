using System.Collections;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Registry;

/// <summary>The answer of a credential helper: a secret, nothing (no entry for this server), or a failure in words.</summary>
internal readonly record struct CredentialHelperResult(string? User, string? Secret, string? Failure)
{
    public override string ToString() => Failure ?? (Secret is null ? "none" : "found");
}

/// <summary>A program that keeps credentials (docker-credential-helpers).</summary>
internal interface ICredentialHelper
{
    CredentialHelperResult Get(string helper, string server);

    CredentialHelperResult Store(string helper, string server, string user, string secret);

    CredentialHelperResult Erase(string helper, string server);
}

/// <summary>Runs <c>docker-credential-NAME get|store|erase</c>: the server, or what is to be kept as JSON, on standard input.</summary>
internal sealed class CredentialHelper : ICredentialHelper
{
    /// <summary>The words by which every helper says that it has no entry; they go with exit status 1.</summary>
    private const string NotFound = "credentials not found in native keychain";

    private const int MaximumMessage = 300;
    private const int MaximumOutput = 64 << 10;
    private const int SignalKill = 9;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    /// <summary>How a finished program's exit status, output and errors are read.</summary>
    private delegate CredentialHelperResult ReadResult(int exitCode, string output, string errors);

    public CredentialHelperResult Get(string helper, string server) => Run(helper, "get", server + "\n", Read);

    public CredentialHelperResult Store(string helper, string server, string user, string secret) => Run(
        helper,
        "store",
        JsonSerializer.Serialize(
            new CredentialHelperBody { Server = server, Username = user, Secret = secret }, RegistryJson.Default.CredentialHelperBody),
        ReadChange);

    public CredentialHelperResult Erase(string helper, string server) => Run(helper, "erase", server + "\n", ReadChange);

    private static CredentialHelperResult Run(string helper, string verb, string text, ReadResult read)
    {
        string name = $"docker-credential-{helper}";
        if (FindProgram(name) is not string program)
        {
            return new CredentialHelperResult(null, null, "cannot start: there is no such program in PATH");
        }

        (SafeFileHandle inputRead, SafeFileHandle inputWrite) = Descriptors.Pipe();
        (SafeFileHandle outputRead, SafeFileHandle outputWrite) = Descriptors.Pipe();
        (SafeFileHandle errorRead, SafeFileHandle errorWrite) = Descriptors.Pipe();
        using SafeFileHandle input = inputWrite;
        using SafeFileHandle output = outputRead;
        using SafeFileHandle errors = errorRead;
        int pid;
        using (inputRead)
        using (outputWrite)
        using (errorWrite)
        {
            try
            {
                pid = ProcessSpawn.Start(new SpawnRequest
                {
                    Program = program,
                    Arguments = [name, verb],
                    Environment = OwnEnvironment(),
                    Descriptors = [new(inputRead, 0), new(outputWrite, 1), new(errorWrite, 2)],
                });
            }
            catch (SyscallException e)
            {
                return new CredentialHelperResult(null, null, $"cannot start: {e.Message}");
            }
        }

        // EPIPE: the helper ended without reading; its exit status tells the story. The text fits into the pipe's buffer.
        _ = Descriptors.TryWrite(input, Encoding.UTF8.GetBytes(text), out _);
        input.Dispose();
        using SafeFileHandle? process = PidFd.TryOpen(pid);
        return process is null ? new CredentialHelperResult(null, null, "it vanished") : Finish(process, output, errors, read);
    }

    /// <summary>Reads both streams to their ends and reaps, within the time limit.</summary>
    private static CredentialHelperResult Finish(
        SafeFileHandle process, SafeFileHandle output, SafeFileHandle errors, ReadResult read)
    {
        using MemoryStream said = new();
        using MemoryStream complained = new();
        long begun = Stopwatch.GetTimestamp();
        bool outputOpen = true;
        bool errorsOpen = true;
        bool running = true;
        while (outputOpen || errorsOpen || running)
        {
            TimeSpan left = TimeLimit - Stopwatch.GetElapsedTime(begun);
            if (left <= TimeSpan.Zero)
            {
                PidFd.SendSignal(process, SignalKill);
                PidFd.Reap(process, wait: true);
                return new CredentialHelperResult(null, null, $"no answer within {TimeLimit.TotalSeconds:0} s");
            }

            PollEntry[] entries =
            [
                new(outputOpen ? output : null, PollEvents.Readable),
                new(errorsOpen ? errors : null, PollEvents.Readable),
                new(running ? process : null, PollEvents.Readable),
            ];
            if (Poll.Wait(entries, (int)left.TotalMilliseconds) == 0)
            {
                continue;
            }

            outputOpen = outputOpen && (entries[0].Came == 0 || Take(output, said));
            errorsOpen = errorsOpen && (entries[1].Came == 0 || Take(errors, complained));
            running = running && entries[2].Came == 0;
        }

        ProcessExit exit = PidFd.Reap(process, wait: true) ?? default;
        return read(exit.ShellCode, Encoding.UTF8.GetString(said.ToArray()), Encoding.UTF8.GetString(complained.ToArray()));
    }

    /// <summary>Reads once; false at the end. What is beyond the limit is dropped.</summary>
    private static bool Take(SafeFileHandle file, MemoryStream into)
    {
        Span<byte> buffer = stackalloc byte[4096];
        int n = Descriptors.TryRead(file, buffer, out _);
        if (n > 0)
        {
            into.Write(buffer[..(int)Math.Min(n, MaximumOutput - into.Length)]);
        }

        return n > 0;
    }

    /// <summary>The first executable file of this name in the absolute directories of PATH.</summary>
    private static string? FindProgram(string name)
    {
        const uint AnyExecute = 0x49;
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            string path = $"{directory}/{name}";
            if (directory.StartsWith('/')
                && Files.TryStatAt(null, path, followLinks: true, out _) is { IsDirectory: false } file && (file.Mode & AnyExecute) != 0)
            {
                return path;
            }
        }

        return null;
    }

    private static List<string> OwnEnvironment()
    {
        List<string> lines = [];
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            lines.Add($"{entry.Key}={entry.Value}");
        }

        return lines;
    }

    /// <summary>Reads what a finished helper said. Its output is never quoted where it may hold a secret.</summary>
    internal static CredentialHelperResult Read(int exitCode, string output, string errors)
    {
        if (exitCode != 0)
        {
            return ReadChange(exitCode, output, errors);
        }

        try
        {
            CredentialHelperBody? body = JsonSerializer.Deserialize(output, RegistryJson.Default.CredentialHelperBody);
            return body?.Username is null || body.Secret is null
                ? new CredentialHelperResult(null, null, "its output names no Username and Secret")
                : new CredentialHelperResult(body.Username, body.Secret, null);
        }
        catch (JsonException)
        {
            return new CredentialHelperResult(null, null, "its output is not JSON");
        }
    }

    /// <summary>Reads what a program said that had something to do and nothing to tell. No entry to erase is no failure.</summary>
    private static CredentialHelperResult ReadChange(int exitCode, string output, string errors)
    {
        string words = output.Trim().Length > 0 ? output.Trim() : errors.Trim();
        return exitCode == 0 || words == NotFound
            ? default
            : new CredentialHelperResult(null, null, $"exit status {exitCode}: {Printable(words)}");
    }

    private static string Printable(string text) =>
        string.Concat(text.Take(MaximumMessage).Select(c => char.IsControl(c) ? ' ' : c));
}
