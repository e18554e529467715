using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>Words for a step that failed in the child.</summary>
internal static class StepFailure
{
    /// <param name="root">The container's root as the parent holds it; a dead child's mounts are gone, this one is not.</param>
    public static ContainerException Explain(PlanStep step, Errno errno, SafeFileHandle root, Process process)
    {
        if (step.Call == "execve")
        {
            return ExecutableDiagnosis.Explain(root, process, errno);
        }

        string? hint = step.Hint;
        if (step.Kind is StepKind.Verify && step.Failure == Errno.EACCES)
        {
            return new ContainerException(ContainerFault.Engine,
                $"the working directory {step.Target} is outside of the container's root filesystem: possible container breakout refused");
        }

        return new ContainerException(ContainerFault.Engine, new SyscallException(step.Call, step.Target, errno, step.Why, hint).Message);
    }
}
