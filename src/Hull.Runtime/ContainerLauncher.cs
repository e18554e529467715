using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Hooks;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>From a request to a process that waits before its execve.</summary>
/// <remarks>For single-threaded processes only: it clones (design, section 4).</remarks>
public static class ContainerLauncher
{
    /// <summary>Makes namespaces, mounts and limits. The child is blocked until <see cref="RunningContainer.Start"/>.</summary>
    /// <exception cref="ContainerException">What failed and what to do; nothing is left behind.</exception>
    public static RunningContainer Create(ContainerRequest request)
    {
        InitPlan plan = new();
        try
        {
            return Create(request, plan);
        }
        catch (SyscallException error)
        {
            plan.Dispose();
            throw new ContainerException(ContainerFault.Engine, error.Message, error);
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>The plan in words, a line a step, without cloning: what <c>--dry-run=plan</c> prints.</summary>
    public static IEnumerable<string> Describe(ContainerRequest request)
    {
        using InitPlan plan = new();
        using NamespacePlan namespaces = NamespacePlan.Of(request.Spec.Linux);
        using SafeFileHandle root = OpenRoot(request);
        using ChildGates gates = new(plan);
        ContainerPlan.Build(plan, request, namespaces, root, User(request, root), gates, new HookPlan(plan, request), Filter(request), -1);
        List<string> lines = [$"clone3(flags={namespaces.Made}) — the child of these steps"];
        lines.AddRange(plan.Steps.Select(step => $"{step} — {step.Target}: {step.Why}"));
        return lines;
    }

    private static RunningContainer Create(ContainerRequest request, InitPlan plan)
    {
        HookPlan hooks = new(plan, request);
        using NamespacePlan namespaces = NamespacePlan.Of(request.Spec.Linux);
        SafeFileHandle root = OpenRoot(request);
        plan.Own(root, "root");
        ResolvedUser user = User(request, root);
        ChildGates gates = new(plan);
        (SafeFileHandle First, SafeFileHandle Second)? console = null;
        if (request.Spec.Process?.Terminal == true && request.ConsoleSocket is null)
        {
            console = UnixSockets.Pair();
            plan.Own(console.Value.Second, "console socket");
        }

        SafeFileHandle? consoleSocket = request.ConsoleSocket ?? console?.Second;
        SeccompFilter? filter = Filter(request);
        ContainerPlan.Build(plan, request, namespaces, root, user, gates, hooks, filter,
            consoleSocket is null ? -1 : (int)consoleSocket.DangerousGetHandle());

        StartedChild child;
        using (new WorkingDirectoryScope(RootPlace(request)))
        using (namespaces.EnterPidNamespace())
        {
            child = StartedChild.Clone(plan, namespaces.Made | CloneFlags.ClearSignalHandlers, request.CloneIntoCgroup, gates,
                (step, errno) => StepFailure.Explain(step, errno, new ContainerFiles(root, request.Spec.Mounts), request.Spec.Process!));
        }

        try
        {
            if (namespaces.MakesUser)
            {
                UserNamespaceMaps.Write(child.Pid, request.Spec.Linux!);
                child.Continue();
            }

            TellBorn(request, child);
            gates.Keep(child);
            child.TellListener(filter?.Listener, request.StateOf("creating", child.Pid));
            child.WaitFor();
            if (request.StartGate is not null)
            {
                CheckCommand(child.Pid, request.Spec.Process!);
            }

            return new RunningContainer(child, console is null ? null : ReceiveTerminal(console.Value.First));
        }
        catch
        {
            child.Kill();
            child.Dispose();
            throw;
        }
        finally
        {
            console?.First.Dispose();
        }
    }

    /// <summary>What the caller does beside the child may fail because the child has: then that is the reason.</summary>
    private static void TellBorn(ContainerRequest request, StartedChild child)
    {
        try
        {
            request.Born?.Invoke(child.Pid);
        }
        catch when (child.HasFailed)
        {
            child.WaitFor();
            throw;
        }
    }

    /// <summary>The process that starts the container later is not this one and gets no report of a failed execve.</summary>
    private static void CheckCommand(int pid, Process process)
    {
        // EACCES: a host whose root may not look into a process that is not dumpable (no CAP_SYS_PTRACE). Then start tells less.
        using SafeFileHandle? inside = Files.TryOpenAt(null, $"/proc/{pid}/root", OpenFlags.Path | OpenFlags.Directory, 0, out _);
        if (inside is not null && process.Args is { Count: > 0 })
        {
            ExecutableDiagnosis.Check(new ContainerFiles(inside, mounts: null), process);
        }
    }

    internal static SafeFileHandle ReceiveTerminal(SafeFileHandle socket)
    {
        List<SafeFileHandle> received = [];
        Span<byte> name = stackalloc byte[64];
        int n = UnixSockets.TryReceive(socket, name, out Errno errno, received);
        return n > 0 && received.Count == 1
            ? received[0]
            : throw new SyscallException("recvmsg", "terminal", n < 0 ? errno : Errno.EPROTO);
    }

    /// <summary>Where the root is attached in the container's mount namespace. A root directory stays where it is, for createContainer
    /// hooks look for it there, and beside it for the bundle's config.json; an overlay has no place but the bundle.</summary>
    private static string RootPlace(ContainerRequest request) =>
        request.Rootfs is RootfsSource.Directory directory ? Path.Combine(request.Bundle, directory.Path) : request.Bundle;

    private static SafeFileHandle OpenRoot(ContainerRequest request)
    {
        switch (request.Rootfs)
        {
            case RootfsSource.Overlay overlay when request.Spec.Linux is { UidMappings.Count: > 0 } mapped:
                using (SafeFileHandle userNamespace = UserNamespaceMaps.MakeNamespace(mapped))
                {
                    // The merged root is the upper's: the container's own root must be able to make files in it.
                    Files.ChangeOwner(null, overlay.Upper, UserNamespaceMaps.HostRoot(mapped.UidMappings), UserNamespaceMaps.HostRoot(mapped.GidMappings));
                    return OverlayMount.CreateMapped(overlay.Lower, overlay.Upper, overlay.Work, userNamespace);
                }

            case RootfsSource.Overlay overlay:
                return OverlayMount.Create(overlay.Lower, overlay.Upper, overlay.Work, request.Bundle);
            case RootfsSource.Directory directory:
                string path = Path.Combine(request.Bundle, directory.Path);
                try
                {
                    return Mounts.Clone(null, path, recursive: true);
                }
                catch (SyscallException error) when (error.Errno is Errno.ENOENT or Errno.ENOTDIR)
                {
                    throw new ContainerException(ContainerFault.Engine, $"rootfs {path} does not exist", error);
                }

            default:
                throw new ContainerException(ContainerFault.Engine, "root: unknown source of a root filesystem");
        }
    }

    private static ResolvedUser User(ContainerRequest request, SafeFileHandle root) =>
        request.ResolveUser is { } resolve
            ? resolve(root)
            : new ResolvedUser(request.Spec.Process?.User?.Uid ?? 0, request.Spec.Process?.User?.Gid ?? 0, request.Spec.Process?.User?.AdditionalGids ?? []);

    private static SeccompFilter? Filter(ContainerRequest request) =>
        request.Filter
        ?? (request.Spec.Linux?.Seccomp is { } profile ? SeccompFilter.Compile(profile, RuntimeInformation.ProcessArchitecture) : null);
}
