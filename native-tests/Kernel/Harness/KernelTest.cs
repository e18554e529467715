[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Hull.Kernel.Tests.Harness;

/// <summary>Base of the kernel tests: one store a class; after each test its containers are removed and nothing may be
/// left of them on the machine.</summary>
public abstract class KernelTest : IClassFixture<HullStore>, IDisposable
{
    private readonly LeakCheck _leaks;

    protected KernelTest(HullStore store)
    {
        Store = store;
        _leaks = LeakCheck.Begin(store);
    }

    protected HullStore Store { get; }

    /// <summary>Runs hull on the class's store, see <see cref="HullStore.Run(string[])"/>.</summary>
    protected RunResult Hull(params string[] arguments) => Store.Run(arguments);

    /// <summary><c>hull run --rm busybox sh -c SCRIPT</c>.</summary>
    protected RunResult InBusybox(string script, params string[] flags) =>
        Store.Run(["run", "--rm", .. flags, Store.Busybox, "sh", "-c", script]);

    /// <summary><c>hull run -d --name NAME busybox COMMAND</c>; returns the full id.</summary>
    protected string Detached(string name, string[]? flags = null, params string[] command) =>
        Store.Run(["run", "-d", "--name", name, .. flags ?? [], Store.Busybox, .. command.Length == 0 ? ["sleep", "1000"] : command]).Ok();

    /// <summary>As <see cref="Detached"/>, for a shell script that says <c>ready</c> when its traps are set: before that a signal to the first
    /// process of a container is lost.</summary>
    protected void DetachedScript(string name, string[]? flags, string script)
    {
        Detached(name, flags, "sh", "-c", script);
        WaitForReady(name);
    }

    /// <summary>Waits until a container's log says <c>ready</c>.</summary>
    protected void WaitForReady(string name) =>
        Wait.Until(() => Store.Run("logs", name).Ok().Contains("ready", StringComparison.Ordinal), 20, () => $"{name} is not ready: {Store.Run("ps", "-a").Stdout}");

    /// <summary>One value of <c>hull inspect</c>, by a <c>--format</c> template.</summary>
    protected string Inspect(string container, string template) => Store.Run("inspect", "--format", template, container).Ok();

    public virtual void Dispose()
    {
        Store.RemoveContainers();
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            // It did not come to its own delete. One that passed is to have left nothing by itself.
            Store.RemoveBundles();
        }

        _leaks.AssertNothingLeft();
        GC.SuppressFinalize(this);
    }
}
