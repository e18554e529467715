using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Engine;
using Hull.Linux;

namespace Hull.Cli;

/// <summary>The one place where a failure becomes a line on standard error and an exit code.</summary>
internal static class ErrorReport
{
    /// <summary>Of a process whose reader went away, as the shell reports death by SIGPIPE.</summary>
    private const int BrokenPipe = 141;

    /// <summary>Says what failed, and returns the exit code.</summary>
    /// <param name="command">The command that failed; null before one was found.</param>
    public static int Write(Exception exception, HullCommand? command, CliContext context)
    {
        if (exception is SyscallException { Operation: "write", Target: "standard output" or "standard error", Errno: Errno.EPIPE })
        {
            return BrokenPipe;
        }

        context.Error.WriteLine("hull: " + Message(exception));
        if (exception is UsageException)
        {
            context.Error.WriteLine($"Run '{command?.FullPath ?? "hull"} --help' for more information");
        }

        if (context.Debug)
        {
            for (Exception? inner = exception; inner is not null; inner = inner.InnerException)
            {
                context.Error.WriteLine($"debug: {inner.GetType().Name}: {inner.Message}");
                context.Error.WriteLine($"debug: {inner.StackTrace}");
            }
        }

        return ExitCode(exception, command);
    }

    private static int ExitCode(Exception exception, HullCommand? command)
    {
        int failure = command?.FailureExitCode ?? 1;
        return exception switch
        {
            UsageException usage => usage.ExitCode,
            RefusedException => 1,
            EngineException { Kind: EngineErrorKind.CannotExecute or EngineErrorKind.CommandNotFound } engine
                when command is { ReportsPayload: true } => engine.RunExitCode,
            _ => failure,
        };
    }

    /// <summary>One line, whatever was thrown: the failures hull expects carry their words, of others the kind is named.</summary>
    private static string Message(Exception exception) => exception switch
    {
        SyscallException { Errno: Errno.ENOSPC } full => $"{full.Message} (the disk is full: free some space, then run the command again)",
        SyscallException or EngineException or UsageException or TemplateException => exception.Message,
        UnauthorizedAccessException or IOException or FormatException or InvalidDataException => exception.Message,
        OutOfMemoryException => "out of memory",
        _ when exception.GetType().Namespace?.StartsWith("Hull", StringComparison.Ordinal) == true => exception.Message,
        _ => $"internal error: {exception.GetType().Name}: {exception.Message} (run with --debug for details)",
    };
}
