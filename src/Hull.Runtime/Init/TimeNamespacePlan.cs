using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Init;

/// <summary>Plans a time namespace with its offsets, time_namespaces(7) (Linux 5.6).</summary>
/// <remarks>
/// clone3(2) with CLONE_NEWTIME would put the child into the namespace at once, and the offsets of one that has a member are
/// fixed. unshare(2) makes it for later children alone; setns(2) of "time_for_children" enters it without one.
/// </remarks>
internal static unsafe class TimeNamespacePlan
{
    private const string OffsetsFile = "/proc/self/timens_offsets";
    private const string ChildrenFile = "/proc/self/ns/time_for_children";
    private const int WriteOnly = 1;
    private const int CloseOnExec = 0x80000;

    /// <summary>Steps of a child that sees the host's procfs and whose user owns its own files there: before it becomes the root
    /// of a user namespace.</summary>
    public static void Add(InitPlan plan, IReadOnlyDictionary<string, TimeOffset>? offsets)
    {
        PlanArgument kind = PlanArgument.Named((nint)CloneFlags.NewTime, "NewTime");
        plan.Call("unshare", SystemCallNumbers.unshare, "time namespace", "clocks of our own, for whoever enters", [kind],
            hint: "does this kernel have time namespaces (Linux 5.6, CONFIG_TIME_NS)? see /proc/self/ns/time");
        if (offsets is { Count: > 0 })
        {
            string text = Text(offsets);
            Slot file = plan.CallInto("openat", SystemCallNumbers.openat, OffsetsFile, "offsets can be set until someone enters",
                [Files.AtCurrentDirectory, OffsetsFile, WriteOnly | CloseOnExec]);
            // One write(2): the file takes all lines or none.
            plan.Call("write", SystemCallNumbers.write, text.TrimEnd('\n').Replace("\n", ", ", StringComparison.Ordinal), "how far the clocks are from the host's",
                [file, PlanArgument.Memory(plan.AllocateText(text), "offsets"), Encoding.ASCII.GetByteCount(text)],
                hint: "a clock may not read less than 0 nor more than 146 years");
            plan.Call("close", SystemCallNumbers.close, OffsetsFile, "done with it", [file]);
        }

        Slot made = plan.CallInto("openat", SystemCallNumbers.openat, ChildrenFile, "the namespace by its descriptor",
            [Files.AtCurrentDirectory, ChildrenFile, CloseOnExec]);
        plan.Call("setns", SystemCallNumbers.setns, "time namespace", "in it, and its offsets are fixed", [made, kind]);
        plan.Call("close", SystemCallNumbers.close, ChildrenFile, "done with it", [made]);
    }

    /// <summary>Refuses offsets that nothing would take.</summary>
    /// <param name="made">The container makes a time namespace of its own.</param>
    public static void Check(bool made, IReadOnlyDictionary<string, TimeOffset>? offsets)
    {
        if (!made && offsets is { Count: > 0 })
        {
            throw new ContainerException(ContainerFault.Engine,
                "linux.timeOffsets: only a time namespace that the container makes can be given offsets; add {\"type\": \"time\"} without a path to linux.namespaces");
        }
    }

    private static string Text(IReadOnlyDictionary<string, TimeOffset> offsets)
    {
        StringBuilder text = new();
        foreach ((string clock, TimeOffset offset) in offsets.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            if (clock is not ("monotonic" or "boottime"))
            {
                throw new ContainerException(ContainerFault.Engine, $"linux.timeOffsets: '{clock}' is not a clock of a time namespace; monotonic and boottime are");
            }

            if (offset.Nanosecs > 999_999_999)
            {
                throw new ContainerException(ContainerFault.Engine, $"linux.timeOffsets.{clock}.nanosecs: {offset.Nanosecs} is a second or more");
            }

            text.Append(CultureInfo.InvariantCulture, $"{clock} {offset.Secs} {offset.Nanosecs}\n");
        }

        return text.ToString();
    }
}
