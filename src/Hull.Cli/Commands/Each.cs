using Hull.Engine;

namespace Hull.Cli.Commands;

/// <summary>Verbs that act on several objects: what fails for one is reported and the others are done all the same.</summary>
internal static class Each
{
    /// <summary>Does the work for each name and prints the name after it, as docker does.</summary>
    /// <param name="missingIsDone">--force of a removal: what is not there is what was asked for.</param>
    /// <returns>1 where any failed, else 0.</returns>
    public static int Do(CliContext context, IReadOnlyList<string> names, Action<string> work, bool print = true, bool missingIsDone = false)
    {
        int code = 0;
        foreach (string name in names)
        {
            try
            {
                work(name);
                if (print)
                {
                    context.Output.WriteLine(name);
                }
            }
            catch (EngineException same) when (same.Kind == EngineErrorKind.NotModified || (missingIsDone && same.Kind == EngineErrorKind.NotFound))
            {
                // As docker: what was asked for is so already.
                if (print)
                {
                    context.Output.WriteLine(name);
                }
            }
            catch (Exception exception)
            {
                // In order, where both go to one terminal.
                context.Output.Flush();
                code = ErrorReport.Write(exception, null, context);
            }
        }

        return code;
    }
}
