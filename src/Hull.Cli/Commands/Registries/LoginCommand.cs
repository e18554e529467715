using System.CommandLine;
using System.Text;
using Hull.Cli.Parsing;
using Hull.Cli.Terminal;
using Hull.Engine;
using Hull.Images.Registry;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Cli.Commands.Registries;

/// <summary><c>hull login</c> and <c>hull logout</c>: they work on the user's own docker configuration, and need no root.</summary>
internal static class LoginCommand
{
    /// <summary>More than any password or token.</summary>
    private const int MaximumSecret = 64 << 10;

    public static HullCommand Create(CliContext context)
    {
        Option<string?> password = Flags.Text("--password", "string", "Password or Personal Access Token (PAT)", "-p");
        Option<bool?> fromInput = Flags.Switch("--password-stdin", "Take the Password or Personal Access Token (PAT) from stdin");
        Option<string?> user = Flags.Text("--username", "string", "Username", "-u");
        HullCommand command = new("login", "[OPTIONS] [SERVER]", "Authenticate to a registry: Docker Hub where no server is given", 0, 1);
        command.Add(password);
        command.Add(fromInput);
        command.Add(user);
        command.SetAction(result =>
        {
            string? secret = result.TextOf(password);
            string? name = result.TextOf(user);
            if (secret is not null)
            {
                context.Error.WriteLine("warning: --password leaves the secret in the shell's history and in the list of processes (--password-stdin does not)");
            }

            if (result.IsOn(fromInput))
            {
                secret = secret is not null ? throw EngineException.Invalid("--password and --password-stdin are mutually exclusive")
                    : name is null ? throw EngineException.Invalid("--password-stdin needs --username")
                    : ReadSecret(context);
            }

            return Login(context, command.Positional(result) is [string server] ? server : null, name, secret);
        });
        return command;
    }

    public static HullCommand CreateLogout(CliContext context)
    {
        HullCommand command = new("logout", "[SERVER]", "Log out from a registry: from Docker Hub where no server is given", 0, 1);
        command.SetAction(result =>
        {
            string domain = RegistryLogin.DomainOf(command.Positional(result) is [string server] ? server : null);
            context.Output.WriteLine(new RegistryLogin(RegistrySettings.Load()).Logout(domain)
                ? $"Removing login credentials for {domain}"
                : $"Not logged in to {domain}");
            return 0;
        });
        return command;
    }

    private static int Login(CliContext context, string? server, string? user, string? secret)
    {
        RegistryLogin login = new(RegistrySettings.Load());
        string domain = RegistryLogin.DomainOf(server);
        if (user is null && secret is null && login.UserOf(domain) is { } known && TryKept(context, login, domain, known))
        {
            return 0;
        }

        if ((user is null || secret is null) && !Terminals.IsTerminal(context.StandardInput))
        {
            throw EngineException.Invalid(
                "cannot ask for user and password: standard input is no terminal (use --username with --password-stdin)");
        }

        user ??= Ask(context, domain == ImageReference.DefaultDomain ? "Username for Docker Hub: " : $"Username for {domain}: ");
        if (secret is null)
        {
            using HiddenInput hidden = HiddenInput.Enter(context.StandardInput);
            secret = Ask(context, "Password: ");
        }

        if (user.Length == 0 || secret.Length == 0)
        {
            throw EngineException.Invalid("user and password must not be empty");
        }

        string? plain = login.LoginAsync(domain, user, secret).GetAwaiter().GetResult();
        if (plain is not null)
        {
            context.Error.WriteLine(
                $"warning: the credential is stored unencrypted in {plain} (a credential helper, credsStore in that file, keeps it encrypted)");
        }

        context.Output.WriteLine("Login Succeeded");
        return 0;
    }

    /// <summary>As docker: without a word of the user's the kept credential is tried first.</summary>
    private static bool TryKept(CliContext context, RegistryLogin login, string domain, string user)
    {
        context.Error.WriteLine($"Authenticating with existing credentials... [Username: {user}]");
        try
        {
            login.CheckAsync(domain).GetAwaiter().GetResult();
        }
        catch (RegistryException e) when (e.Kind == RegistryError.Unauthorized && Terminals.IsTerminal(context.StandardInput))
        {
            context.Error.WriteLine($"Login did not succeed, error: {e.Message}");
            return false;
        }

        context.Output.WriteLine("Login Succeeded");
        return true;
    }

    /// <summary>One line of the terminal.</summary>
    private static string Ask(CliContext context, string question)
    {
        context.Output.Write(question);
        context.Output.Flush();
        byte[] line = new byte[4096];
        int n = Files.Read(context.StandardInput, line, "standard input");
        return Encoding.UTF8.GetString(line, 0, n).Trim();
    }

    /// <summary>All of standard input without its last line end.</summary>
    private static string ReadSecret(CliContext context)
    {
        string text = Encoding.UTF8.GetString(Files.ReadAll(context.StandardInput, MaximumSecret, "standard input"));
        text = text.EndsWith('\n') ? text[..^1] : text;
        return text.EndsWith('\r') ? text[..^1] : text;
    }
}
