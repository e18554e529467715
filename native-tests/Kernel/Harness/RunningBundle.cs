using System.Text.Json.Nodes;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A bundle's container that was created and started, in the background; removed with its processes when disposed.</summary>
public sealed class RunningBundle : IDisposable
{
    public RunningBundle(HullStore store, string script = "sleep 1000", Action<Bundle>? change = null)
    {
        Bundle = new Bundle(store, script);
        change?.Invoke(Bundle);
        Bundle.Write();
        // As runc's, the container keeps the streams of its create; the test's pipes would never end.
        store.Shell($"$HULL {string.Join(' ', Bundle.Runtime)} create --bundle {Bundle.Directory} {Bundle.Id} < /dev/null > /dev/null 2>&1").Ok();
        Bundle.Call("start", Bundle.Id).Ok();
    }

    public Bundle Bundle { get; }

    public string Id => Bundle.Id;

    public JsonNode State => JsonNode.Parse(Bundle.Call("state", Id).Ok())!;

    public string Status => (string)State["status"]!;

    public int Pid => (int)State["pid"]!;

    public void Dispose() => Bundle.Call("delete", "--force", Id).Ok();
}
