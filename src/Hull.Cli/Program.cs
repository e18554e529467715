using Hull.Cli;
using Hull.Cli.Output;
using Hull.Cli.Runtime;
using Hull.Engine.Monitor;

// The monitor and the OCI runtime answer before anything of the command line is touched: their start-up is paid for every
// container.
if (args is [MonitorProcess.CommandName])
{
    return MonitorProcess.Run();
}

if (RuntimeCommand.IsCalled(args, out int skip))
{
    return RuntimeCommand.Run(args.AsSpan(skip));
}

DescriptorWriter output = new(1, "standard output", flushLines: false);
DescriptorWriter error = new(2, "standard error", flushLines: true);
return CommandLine.Run(args, new CliContext { Output = output, Error = error });
