using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Init;

/// <summary>Words for a step that failed in the child.</summary>
internal static class StepFailure
{
    /// <param name="files">The container's files as the parent can reach them; a dead child's mounts are gone.</param>
    public static ContainerException Explain(PlanStep step, Errno errno, ContainerFiles files, Process process)
    {
        if (step.Call == "execve")
        {
            return ExecutableDiagnosis.Explain(files, process, errno);
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
