using Hull.Engine;
using Hull.Linux;

namespace Hull.Cli.Commands;

/// <summary>Where <c>save</c> and <c>export</c> write: a file, or standard output unless it is a terminal.</summary>
internal static class ArchiveOutput
{
    /// <param name="path">Null for standard output.</param>
    /// <exception cref="EngineException">Invalid: the archive would go to a terminal.</exception>
    public static void Write(CliContext context, string? path, Action<Stream> write)
    {
        if (path is null)
        {
            if (Terminals.IsTerminal(context.StandardOutput))
            {
                throw EngineException.Invalid("cowardly refusing to save to a terminal. Use the -o flag or redirect");
            }

            CliContext.RequireRoot();
            using FileStream stdout = new(context.StandardOutput, FileAccess.Write, bufferSize: 0);
            write(stdout);
            return;
        }

        CliContext.RequireRoot();
        // Beside its place and renamed, so that a failure leaves no half archive and an old one whole.
        string temporary = $"{path}.new-{Environment.ProcessId}";
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
            {
                write(file);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
