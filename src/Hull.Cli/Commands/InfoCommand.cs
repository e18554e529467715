using System.CommandLine;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Engine;

namespace Hull.Cli.Commands;

/// <summary><c>hull info</c>: the host and the store.</summary>
internal static class InfoCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> format = Formats.Option();
        HullCommand command = new(path, "[OPTIONS]", "Display system-wide information", 0, 0)
        {
            AliasLine = "hull system info, hull info",
        };
        command.Add(format);
        command.SetAction(result => Run(context, result.TextOf(format)));
        return command;
    }

    private static int Run(CliContext context, string? format)
    {
        TemplateValue facts = Facts(context);
        if (format is not null)
        {
            context.Output.WriteLine(Formats.Parse(format).Execute(facts));
            return 0;
        }

        string of(string name) => facts.Member(name)!.ToString();
        TextWriter output = context.Output;
        output.WriteLine($"Client:\n Version:    {of("ServerVersion")}\n Debug Mode: {(context.Debug ? "true" : "false")}\n");
        output.WriteLine("Server:");
        output.WriteLine($" Containers: {of("Containers")}");
        output.WriteLine($"  Running: {of("ContainersRunning")}");
        output.WriteLine($"  Paused: {of("ContainersPaused")}");
        output.WriteLine($"  Stopped: {of("ContainersStopped")}");
        output.WriteLine($" Images: {of("Images")}");
        output.WriteLine($" Server Version: {of("ServerVersion")}");
        output.WriteLine($" Storage Driver: {of("Driver")}");
        output.WriteLine($" Logging Driver: {of("LoggingDriver")}");
        output.WriteLine($" Cgroup Driver: {of("CgroupDriver")}");
        output.WriteLine($" Cgroup Version: {of("CgroupVersion")} ({of("CgroupLayout")})");
        output.WriteLine($" Default Runtime: {of("DefaultRuntime")}");
        output.WriteLine(" Security Options:");
        foreach (TemplateValue option in facts.Member("SecurityOptions")!.Items)
        {
            output.WriteLine($"  {option.Text["name=".Length..].Split(',')[0]}");
        }

        output.WriteLine($" Kernel Version: {of("KernelVersion")}");
        output.WriteLine($" Operating System: {of("OperatingSystem")}");
        output.WriteLine($" OSType: {of("OSType")}");
        output.WriteLine($" Architecture: {of("Architecture")}");
        output.WriteLine($" CPUs: {of("NCPU")}");
        output.WriteLine($" Total Memory: {Units.BytesSize(facts.Member("MemTotal")!.Integer)}");
        output.WriteLine($" Name: {of("Name")}");
        output.WriteLine($" Hull Root Dir: {of("DockerRootDir")}");
        output.WriteLine($" Hull Exec Dir: {of("ExecRootDir")}");
        return 0;
    }

    /// <summary>Docker's document, the fields that mean something here.</summary>
    private static TemplateValue Facts(CliContext context)
    {
        EngineInfo info = context.Engine.Info();
        List<TemplateValue> security = [];
        foreach (string option in info.SecurityOptions)
        {
            security.Add(TemplateValue.Of(option));
        }

        return Build(
            ("Containers", TemplateValue.Of((long)info.Containers)),
            ("ContainersRunning", TemplateValue.Of((long)info.Running)),
            ("ContainersPaused", TemplateValue.Of((long)info.Paused)),
            ("ContainersStopped", TemplateValue.Of((long)info.Stopped)),
            ("Images", TemplateValue.Of((long)info.Images)),
            ("Volumes", TemplateValue.Of((long)info.Volumes)),
            ("Driver", TemplateValue.Of("overlay2")),
            ("LoggingDriver", TemplateValue.Of("json-file")),
            ("CgroupDriver", TemplateValue.Of("cgroupfs")),
            ("CgroupVersion", TemplateValue.Of(info.CgroupVersion)),
            ("CgroupLayout", TemplateValue.Of(info.CgroupLayout)),
            ("DefaultRuntime", TemplateValue.Of("hull")),
            ("SecurityOptions", TemplateValue.List(security)),
            ("KernelVersion", TemplateValue.Of(info.KernelVersion)),
            ("OperatingSystem", TemplateValue.Of(info.OperatingSystem)),
            ("OSType", TemplateValue.Of("linux")),
            ("Architecture", TemplateValue.Of(info.Architecture)),
            ("NCPU", TemplateValue.Of((long)info.Processors)),
            ("MemTotal", TemplateValue.Of(info.Memory)),
            ("DockerRootDir", TemplateValue.Of(info.DataRoot)),
            ("ExecRootDir", TemplateValue.Of(info.ExecRoot)),
            ("Name", TemplateValue.Of(info.HostName)),
            ("ServerVersion", TemplateValue.Of(VersionCommand.Version)));
    }

    private static TemplateValue Build(params (string Name, TemplateValue Value)[] facts)
    {
        List<string> names = [];
        List<TemplateValue> values = [];
        foreach ((string name, TemplateValue value) in facts)
        {
            names.Add(name);
            values.Add(value);
        }

        return TemplateValue.Map(names, values);
    }
}
