using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Hooks;

/// <summary>The hooks that belong between the clone and the payload (runtime-spec runtime.md, lifecycle 3 to 7).</summary>
/// <remarks>
/// prestart and createRuntime run in the parent while the child waits at a gate before its pivot_root; createContainer and
/// startContainer are steps of the child, which it executes where it then is. A state holds the container's process id, so
/// the parent writes the states of the child's hooks at that gate, once the id is known.
/// </remarks>
internal sealed unsafe class HookPlan
{
    private const int CommonUmask = 0x12;

    private readonly InitPlan _plan;
    private readonly ContainerRequest _request;
    private readonly Oci.RuntimeSpec.Hooks _hooks;
    private readonly List<(SafeFileHandle Input, string Status)> _states = [];

    /// <exception cref="ContainerException">A hook is not as the specification wants it.</exception>
    public HookPlan(InitPlan plan, ContainerRequest request)
    {
        _plan = plan;
        _request = request;
        _hooks = request.Spec.Hooks ?? new Oci.RuntimeSpec.Hooks();
        HookRules.Check(request.Spec.Hooks);
    }

    /// <summary>All mounts are made and the host's tree is still there, the time of the first three kinds.</summary>
    public void AddBeforePivot(ChildGates gates)
    {
        bool any = _hooks is { Prestart.Count: > 0 } or { CreateRuntime.Count: > 0 } or { CreateContainer.Count: > 0 } or { StartContainer.Count: > 0 };
        if (!any)
        {
            return;
        }

        gates.Meet(_plan, "the mounts are made, the host's tree is still here: time for hooks", "until the hooks of the runtime's namespaces are done",
            child => RunAtGate(child.Pid));
        foreach (HookPlace place in HookRules.Of("createContainer", _hooks.CreateContainer))
        {
            Add(place, "creating", CommonUmask, "in the container's namespaces, a path of the host (runtime-spec config.md)");
        }
    }

    /// <summary>The container is started; its payload is next.</summary>
    public void AddBeforePayload()
    {
        foreach (HookPlace place in HookRules.Of("startContainer", _hooks.StartContainer))
        {
            // As with runc: with the payload's user, rights and filter.
            Add(place, "created", umask: -1, "in the container, with the payload's rights, a path of the container");
        }
    }

    /// <summary>The parent's part, while the child waits at the gate.</summary>
    /// <param name="pid">The child, in the parent's pid namespace.</param>
    /// <exception cref="ContainerException">A hook failed.</exception>
    private void RunAtGate(int pid)
    {
        int own = PidInItsNamespace(pid);
        foreach ((SafeFileHandle input, string status) in _states)
        {
            Files.WriteAt(input, RuntimeHooks.Document(_request.StateOf(status, own)), 0, "state for a hook");
        }

        State state = _request.StateOf("creating", pid);
        RuntimeHooks.Run("prestart", _hooks.Prestart, state);
        RuntimeHooks.Run("createRuntime", _hooks.CreateRuntime, state);
    }

    private void Add(HookPlace place, string status, int umask, string why)
    {
        Hook hook = place.Hook;
        SafeFileHandle input = MemoryFile.Create("hook-state");
        SafeFileHandle output = MemoryFile.Create("hook-output");
        _plan.Own(input, "state");
        _plan.Own(output, "output");
        _states.Add((input, status));
        NativeHook* native = _plan.Allocate(new NativeHook
        {
            Path = _plan.AllocateText(hook.Path),
            Arguments = _plan.AllocateTexts(hook.Args is { Count: > 0 } args ? args : [hook.Path]),
            Environment = _plan.AllocateTexts(hook.Env ?? []),
            Input = (int)input.DangerousGetHandle(),
            Output = (int)output.DangerousGetHandle(),
            Number = place.Number,
            Umask = umask,
            Seconds = hook.Timeout ?? 0,
        });
        _plan.Add(new PlanStep
        {
            Kind = StepKind.RunHook,
            Call = "hook",
            Number = 0,
            Target = $"{place.Stage}[{place.Number}] {hook.Path}",
            Why = why,
            Arguments = [PlanArgument.Memory(native, hook.Path)],
            Hook = place,
        });
    }

    /// <summary>"For hooks executed in the container namespace, it is the pid as seen by the container" (runtime.md): the last
    /// number of NSpid, proc_pid_status(5).</summary>
    private static int PidInItsNamespace(int pid)
    {
        string path = $"/proc/{pid}/status";
        using SafeFileHandle file = Files.Open(path, OpenFlags.ReadOnly);
        string line = Encoding.UTF8.GetString(Files.ReadAll(file, 65536, path)).Split('\n').First(static l => l.StartsWith("NSpid:", StringComparison.Ordinal));
        return int.Parse(line[(line.LastIndexOf('\t') + 1)..], CultureInfo.InvariantCulture);
    }
}
