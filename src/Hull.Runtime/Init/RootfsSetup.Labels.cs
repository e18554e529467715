using System.Text;
using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>linux.mountLabel: the SELinux label of the files in file systems that are made for the container.</summary>
internal sealed unsafe partial class RootfsSetup
{
    private string? MountLabel => _spec.Linux?.MountLabel is { Length: > 0 } label ? label : null;

    /// <summary>One label for all files of a file system that takes the option. The kernel's own trees are labelled by its policy alone, as
    /// with runc.</summary>
    private void AddMountLabel(Slot context, string type, string destination)
    {
        if (MountLabel is { } label && type is not ("proc" or "sysfs" or "cgroup" or "cgroup2" or "mqueue"))
        {
            _plan.Call("fsconfig", SystemCallNumbers.fsconfig, $"{destination} context={label}", "the label of all files in it",
                [context, FileSystemContext.SetStringCommand, "context", label, 0], hint: SecurityLabels.SelinuxHint);
        }
    }

    /// <summary>A file system of message queues takes no such option: its root is labelled, and queues made in it are by the policy.</summary>
    private void LabelQueues(Slot made, string destination)
    {
        if (MountLabel is { } label)
        {
            Slot directory = _plan.CallInto("openat", SystemCallNumbers.openat, destination, "to be labelled", [made, ".", CloseOnExec | DirectoryFlag]);
            _plan.Call("fsetxattr", SystemCallNumbers.fsetxattr, $"{destination} security.selinux={label}", "the label of the message queues' directory",
                [directory, "security.selinux", label, Encoding.UTF8.GetByteCount(label), 0], hint: SecurityLabels.SelinuxHint);
            _plan.Call("close", SystemCallNumbers.close, destination, "done with it", [directory]);
        }
    }
}
