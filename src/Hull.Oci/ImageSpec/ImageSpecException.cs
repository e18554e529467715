namespace Hull.Oci.ImageSpec;

/// <summary>An image document that cannot be used: which one and why.</summary>
public sealed class ImageSpecException(string document, string problem, Exception? inner = null)
    : Exception($"{document}: {problem}", inner)
{
    /// <summary><c>manifest sha256:…</c>, <c>index.json</c>.</summary>
    public string Document { get; } = document;
}
