using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Hull.Cli.Parsing;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;
using Hull.Runtime.Bundles;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime update</c>: other limits for a running container, from options or from a document.</summary>
internal static class RuntimeUpdate
{
    private const int LargestDocument = 1 << 20;

    public static void Run(RuntimeArguments parsed, BundleRuntime runtime)
    {
        List<string> notes = [];
        runtime.Update(parsed.Id, ResourcesOf(parsed), notes);
        foreach (string note in notes.Concat(Obsolete(parsed)))
        {
            RuntimeCommand.Write(2, $"hull runtime: {note}\n");
        }
    }

    /// <exception cref="ContainerException">A value is no number; a document and options; what this host or hull cannot limit.</exception>
    internal static LinuxResources ResourcesOf(RuntimeArguments parsed)
    {
        foreach (string option in (ReadOnlySpan<string>)["--l3-cache-schema", "--mem-bw-schema"])
        {
            if (parsed.Option(option) is { Length: > 0 })
            {
                throw new ContainerException(ContainerFault.Engine, $"{option}: Intel RDT is not supported by this version of hull");
            }
        }

        LinuxResources options = FromOptions(parsed);
        if (parsed.Option("--resources") is not { } file)
        {
            return options;
        }

        if (options != new LinuxResources())
        {
            throw new ContainerException(ContainerFault.Engine, $"--resources {file}: the document says it all, so no other limit may be given beside it");
        }

        LinuxResources resources = Read(file);
        // 0 is "unchanged" in runc's document, for each number.
        return resources.Pids is { Limit: 0 } ? resources with { Pids = null } : resources;
    }

    private static LinuxResources FromOptions(RuntimeArguments parsed)
    {
        CpuResources cpu = new()
        {
            Shares = Number<ulong>(parsed, "--cpu-share"),
            Period = Number<ulong>(parsed, "--cpu-period"),
            Quota = Number<long>(parsed, "--cpu-quota"),
            Burst = Number<ulong>(parsed, "--cpu-burst"),
            RealtimePeriod = Number<ulong>(parsed, "--cpu-rt-period"),
            RealtimeRuntime = Number<long>(parsed, "--cpu-rt-runtime"),
            Idle = Number<long>(parsed, "--cpu-idle"),
            Cpus = parsed.Option("--cpuset-cpus"),
            Mems = parsed.Option("--cpuset-mems"),
        };
        MemoryResources memory = new()
        {
            Limit = Bytes(parsed, "--memory"),
            Reservation = Bytes(parsed, "--memory-reservation"),
            Swap = Bytes(parsed, "--memory-swap"),
        };
        return new LinuxResources
        {
            Cpu = cpu == new CpuResources() ? null : cpu,
            Memory = memory == new MemoryResources() ? null : memory,
            BlockIO = Number<ushort>(parsed, "--blkio-weight") is { } weight and not 0 ? new BlockIoResources { Weight = weight } : null,
            Pids = Number<long>(parsed, "--pids-limit") is { } pids and not 0 ? new PidsResources { Limit = pids } : null,
        };
    }

    /// <summary>As runc, which takes the options, says so and does nothing.</summary>
    private static IEnumerable<string> Obsolete(RuntimeArguments parsed) =>
        ((string[])["--kernel-memory", "--kernel-memory-tcp"]).Where(option => parsed.Option(option) is not null)
            .Select(option => $"{option} is obsolete and without effect: the kernel counts its memory in --memory");

    private static LinuxResources Read(string file)
    {
        string name = file == "-" ? "standard input" : file;
        using SafeFileHandle handle = file == "-" ? new SafeFileHandle(0, ownsHandle: false) : Files.Open(file, OpenFlags.ReadOnly);
        try
        {
            return SpecReader.ReadResources(Files.ReadAll(handle, LargestDocument, name));
        }
        catch (JsonException error)
        {
            throw new ContainerException(ContainerFault.Engine, $"--resources: {name} is not a valid document of limits: {error.Message}", error);
        }
    }

    private static T? Number<T>(RuntimeArguments parsed, string option)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> =>
        parsed.Option(option) is not { } text ? null
        : T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T number) ? number
        : throw new ContainerException(ContainerFault.Engine, string.Create(
            CultureInfo.InvariantCulture, $"{option} {text}: expected a number from {T.MinValue} to {T.MaxValue}"));

    /// <summary>A size with its unit, or -1 for no limit.</summary>
    private static long? Bytes(RuntimeArguments parsed, string option)
    {
        if (parsed.Option(option) is not { } text)
        {
            return null;
        }

        try
        {
            return text == "-1" ? -1 : Quantity.ParseBytes(text);
        }
        catch (FormatException error)
        {
            throw new ContainerException(ContainerFault.Engine, $"{option} {text}: {error.Message} (bytes, with k, m or g, or -1 for no limit)", error);
        }
    }
}
