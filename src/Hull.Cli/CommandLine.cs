using System.CommandLine;
using Hull.Cli.Help;
using Hull.Cli.Parsing;

namespace Hull.Cli;

/// <summary>From the process's arguments to a command's exit code: global flags, the verb, the verb's flags.</summary>
/// <remarks>Only the command that is called is built: the whole tree costs more than a listing of containers.</remarks>
internal static class CommandLine
{
    public static int Run(ReadOnlySpan<string> arguments, CliContext context)
    {
        HullCommand? command = null;
        int code;
        try
        {
            code = Run(arguments, context, ref command);
            context.Output.Flush();
        }
        catch (Exception exception)
        {
            code = Report(exception, command, context);
        }

        return Finish(context, code);
    }

    private static int Run(ReadOnlySpan<string> arguments, CliContext context, ref HullCommand? command)
    {
        if (arguments.Length > 0 && arguments[0].StartsWith("[suggest", StringComparison.Ordinal))
        {
            return Completions.Suggest(arguments, context);
        }

        context.Debug = context.Environment("DEBUG") is { Length: > 0 };
        if (arguments.Length == 0 || arguments[0].StartsWith('-'))
        {
            int? code = GlobalFlags.Apply(ref arguments, context);
            if (code is { } done)
            {
                return done;
            }
        }

        if (arguments[0] == "help")
        {
            arguments = arguments.Length == 1 ? ["--help"] : (string[])[.. arguments[1..], "--help"];
            if (arguments.Length == 1)
            {
                CommandHelp.WriteTop(context.Output);
                return 0;
            }
        }

        command = CommandTable.Find(ref arguments, context);
        return command is null ? 0 : Invoke(command, arguments, context);
    }

    /// <summary>Parses a command's own arguments and runs it.</summary>
    public static int Invoke(HullCommand command, ReadOnlySpan<string> arguments, CliContext context)
    {
        ScannedArguments scanned = ArgumentScanner.Scan(command, arguments);
        if (scanned.Help)
        {
            CommandHelp.Write(command, context.Output);
            return 0;
        }

        command.CheckCount(scanned.Positional.Count);
        ParseResult result = command.Parse(scanned.Tokens, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count > 0)
        {
            throw new UsageException(result.Errors[0].Message);
        }

        return result.Invoke(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = context.Output,
            Error = context.Error,
        });
    }

    private static int Report(Exception exception, HullCommand? command, CliContext context)
    {
        try
        {
            // What was printed before the failure is data all the same.
            context.Output.Flush();
        }
        catch (Exception flush) when (flush is Hull.Linux.SyscallException)
        {
            exception = flush;
        }

        return ErrorReport.Write(exception, command, context);
    }

    private static int Finish(CliContext context, int code)
    {
        try
        {
            context.Error.Flush();
            return code;
        }
        catch (Hull.Linux.SyscallException)
        {
            // Nobody is left to tell.
            return code == 0 ? 1 : code;
        }
    }
}
