using Hull.Cli.Parsing;
using Hull.Engine;

namespace Hull.Cli.Commands;

/// <summary><c>hull completion SHELL</c>: the script that a shell loads, <c>source &lt;(hull completion bash)</c>.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _hull() {
            local IFS=$'\n'
            COMPREPLY=($(hull "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null))
        }
        complete -o default -F _hull hull

        """;

    private const string Zsh = """
        #compdef hull
        _hull() {
            local -a words_found
            words_found=("${(@f)$(hull "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            (( ${#words_found} )) && compadd -- "${words_found[@]}" || _files
        }
        compdef _hull hull

        """;

    private const string Fish = """
        complete -c hull -f -a '(hull "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'

        """;

    public static HullCommand Create(CliContext context)
    {
        HullCommand command = new("completion", "bash|zsh|fish", "Print the completion script of a shell", 1, 1);
        command.SetAction(result => Run(context, command.Positional(result)[0]));
        return command;
    }

    private static int Run(CliContext context, string shell)
    {
        context.Output.Write(shell switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            _ => throw EngineException.Invalid($"no completion for '{shell}': bash, zsh and fish have one"),
        });
        return 0;
    }
}
