using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Init;

/// <summary>Labels of the host's security module: the one that execve(2) puts on the payload, AppArmor's profile or SELinux's context, and
/// SELinux's for keys.</summary>
/// <remarks>Each is written to a file of the process's own in /proc, of which it is certain that it is one: a fake would swallow the label
/// (CVE-2019-16884).</remarks>
internal static unsafe class SecurityLabels
{
    /// <summary>What to do about a label that the kernel does not take.</summary>
    public const string SelinuxHint = "has the host's policy this label, and may hull's own domain give it? see /proc/self/attr/current and the kernel's log";

    private const string Why = "the label that execve puts on";

    /// <summary>A new container's: through the /proc that its plan has mounted.</summary>
    public static void AddExec(RootfsSetup rootfs, Process process)
    {
        foreach (ExecLabel label in Of(process))
        {
            Slot file = rootfs.OpenBelow("/proc", $"self/attr/{label.File}", 1, label.Name, Why, label.OpenHint, RootfsSetup.ThroughSelf);
            rootfs.WriteValue(file, label.Value, label.Name, Why, label.WriteHint);
        }
    }

    /// <summary>A further process's: through the container's /proc, in whose pid namespace it is.</summary>
    public static void AddExec(InitPlan plan, Process process)
    {
        foreach (ExecLabel label in Of(process))
        {
            Write(plan, label.File, label.Value, label.Name, Why, label.OpenHint, label.WriteHint);
        }
    }

    /// <summary>The label of keys that are made from now on; execve(2) takes it back. Through the host's /proc, while we see it.</summary>
    public static void AddKeys(InitPlan plan, Process process)
    {
        if (process.SelinuxLabel is { Length: > 0 } label)
        {
            Write(plan, "keycreate", label, $"SELinux label {label} for keys", "the container's keyring is its own by label too", null, SelinuxHint);
        }
    }

    private static List<ExecLabel> Of(Process process)
    {
        List<ExecLabel> labels = [];
        if (process.ApparmorProfile is { Length: > 0 } profile)
        {
            labels.Add(new("apparmor/exec", $"exec {profile}", $"AppArmor profile {profile}",
                "is AppArmor enabled on this host? see /sys/module/apparmor/parameters/enabled",
                "is it loaded? apparmor_parser -r FILE loads a profile, /sys/kernel/security/apparmor/profiles lists them"));
        }

        if (process.SelinuxLabel is { Length: > 0 } label)
        {
            labels.Add(new("exec", label, $"SELinux label {label}", null, SelinuxHint));
        }

        return labels;
    }

    private static void Write(InitPlan plan, string attribute, string value, string name, string why, string? openHint, string? writeHint)
    {
        string path = $"/proc/thread-self/attr/{attribute}";
        Slot file = plan.CallInto("openat", SystemCallNumbers.openat, path, why, [Files.AtCurrentDirectory, path, 1 | 0x80000], hint: openHint);
        uint* statfs = (uint*)plan.Allocate(256);
        plan.Call("fstatfs", SystemCallNumbers.fstatfs, path, "is it a procfs?", [file, PlanArgument.Memory(statfs, "statfs")]);
        plan.Verify(statfs, 0x9fa0, path, "a fake /proc would swallow the label (CVE-2019-16884)", Errno.EPERM);
        plan.Call("write", SystemCallNumbers.write, name, why,
            [file, PlanArgument.Memory(plan.AllocateText(value), value), Encoding.UTF8.GetByteCount(value)], hint: writeHint);
        plan.Call("close", SystemCallNumbers.close, name, "done with it", [file]);
    }

    /// <param name="File">Below /proc/PID/attr.</param>
    /// <param name="OpenHint">What to do where the file is not there.</param>
    /// <param name="WriteHint">What to do where the kernel does not take the label.</param>
    private readonly record struct ExecLabel(string File, string Value, string Name, string? OpenHint, string WriteHint);
}
