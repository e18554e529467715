using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;

namespace Hull.Cli.Commands;

/// <summary><c>hull version</c>. Client and server are one program; both are shown, as tools that read docker's output expect.</summary>
internal static class VersionCommand
{
    /// <summary>The Docker Engine API whose shapes the output follows.</summary>
    internal const string ApiVersion = "1.51";

    internal static string Version =>
        typeof(VersionCommand).Assembly.GetName().Version is { } version ? version.ToString(3) : "0.0.0";

    public static HullCommand Create(CliContext context)
    {
        Option<string?> format = Formats.Option();
        HullCommand command = new("version", "[OPTIONS]", "Show the hull version information", 0, 0) { format };
        command.SetAction(result => Run(context, result.TextOf(format)));
        return command;
    }

    public static string OneLine() => $"hull version {Version}, build {Build()}";

    private static int Run(CliContext context, string? format)
    {
        TemplateValue facts = Facts();
        if (format is not null)
        {
            context.Output.WriteLine(Formats.Parse(format).Execute(facts));
            return 0;
        }

        TemplateValue client = facts.Member("Client")!;
        context.Output.WriteLine("Client:");
        Line(context, "Version", client);
        Line(context, "API version", client, "ApiVersion");
        Line(context, "Runtime", client, "Runtime");
        Line(context, "Git commit", client, "GitCommit");
        context.Output.WriteLine($" {"OS/Arch:",-18}{client.Member("Os")}/{client.Member("Arch")}");
        Line(context, "Kernel", facts.Member("Server")!, "KernelVersion");
        context.Output.WriteLine();
        context.Output.WriteLine("Server: none (hull needs no daemon)");
        return 0;
    }

    private static void Line(CliContext context, string label, TemplateValue facts, string? field = null) =>
        context.Output.WriteLine($" {label + ":",-18}{facts.Member(field ?? label)}");

    /// <summary>Docker's document of <c>version --format json</c>.</summary>
    private static TemplateValue Facts()
    {
        TemplateValue version = TemplateValue.Of(Version);
        TemplateValue api = TemplateValue.Of(ApiVersion);
        TemplateValue runtime = TemplateValue.Of(RuntimeInformation.FrameworkDescription + " (NativeAOT)");
        TemplateValue commit = TemplateValue.Of(Build());
        TemplateValue arch = TemplateValue.Of(Architecture);
        TemplateValue os = TemplateValue.Of("linux");
        return TemplateValue.Map(
            ["Client", "Server"],
            [
                TemplateValue.Map(
                    ["Platform", "Version", "ApiVersion", "DefaultAPIVersion", "GitCommit", "Runtime", "Os", "Arch"],
                    [TemplateValue.Map(["Name"], [TemplateValue.Of("hull")]), version, api, api, commit, runtime, os, arch]),
                TemplateValue.Map(
                    ["Version", "ApiVersion", "MinAPIVersion", "GitCommit", "Os", "Arch", "KernelVersion"],
                    [version, api, TemplateValue.Of("1.24"), commit, os, arch, TemplateValue.Of(Kernel())]),
            ]);
    }

    /// <summary>The architecture as images name it.</summary>
    internal static string Architecture => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture other => other.ToString().ToLowerInvariant(),
    };

    internal static string Kernel() => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    /// <summary>The commit that the build put after the plus sign of the informational version.</summary>
    internal static string Build()
    {
        string text = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        int plus = text.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? "unknown" : text[(plus + 1)..Math.Min(text.Length, plus + 8)];
    }
}
