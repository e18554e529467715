using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Hull.Images.Registry;

/// <summary>The answer of a credential helper: a secret, nothing (no entry for this server), or a failure in words.</summary>
internal readonly record struct CredentialHelperResult(string? User, string? Secret, string? Failure)
{
    public override string ToString() => Failure ?? (Secret is null ? "none" : "found");
}

/// <summary>Runs <c>docker-credential-NAME get</c>: the server on standard input, JSON on standard output.</summary>
internal static class CredentialHelper
{
    /// <summary>The words by which every helper says that it has no entry; they go with exit status 1.</summary>
    private const string NotFound = "credentials not found in native keychain";

    private const int MaximumMessage = 300;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    public static CredentialHelperResult Get(string helper, string server)
    {
        ProcessStartInfo start = new($"docker-credential-{helper}", "get")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            using Process process = Process.Start(start) ?? throw new InvalidOperationException("no process was started");
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            WriteServer(process, server);
            if (!process.WaitForExit(TimeLimit))
            {
                process.Kill(entireProcessTree: true);
                return new CredentialHelperResult(null, null, $"no answer within {TimeLimit.TotalSeconds:0} s");
            }

            return Read(process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
        }
        catch (Win32Exception e)
        {
            return new CredentialHelperResult(null, null, $"cannot start: {e.Message}");
        }
    }

    /// <summary>Reads what a finished helper said. Its output is never quoted where it may hold a secret.</summary>
    internal static CredentialHelperResult Read(int exitCode, string output, string errors)
    {
        if (exitCode != 0)
        {
            string words = output.Trim().Length > 0 ? output.Trim() : errors.Trim();
            return words == NotFound
                ? default
                : new CredentialHelperResult(null, null, $"exit status {exitCode}: {Printable(words)}");
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

    private static void WriteServer(Process process, string server)
    {
        try
        {
            process.StandardInput.Write(server);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // EPIPE: the helper ended without reading; its exit status tells the story.
        }
    }

    private static string Printable(string text) =>
        string.Concat(text.Take(MaximumMessage).Select(c => char.IsControl(c) ? ' ' : c));
}
