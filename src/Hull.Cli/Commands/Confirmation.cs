using System.Text;
using Hull.Linux;

namespace Hull.Cli.Commands;

/// <summary>The question before something is removed in bulk.</summary>
internal static class Confirmation
{
    /// <returns>Whether the answer is yes; the end of the input is no.</returns>
    public static bool Ask(CliContext context, string warning)
    {
        context.Output.WriteLine(warning);
        context.Output.Write("Are you sure you want to continue? [y/N] ");
        context.Output.Flush();
        Span<byte> answer = stackalloc byte[16];
        int n = Files.Read(context.StandardInput, answer, "standard input");
        return n > 0 && Encoding.UTF8.GetString(answer[..n]).Trim() is "y" or "Y" or "yes";
    }
}
