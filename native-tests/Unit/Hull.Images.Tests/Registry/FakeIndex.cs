using System.Text;
using Hull.Oci;

namespace Hull.Images.Tests.Registry;

/// <summary>An index of a <see cref="FakeRegistry"/>: an image for amd64, one for arm64, and an attestation of the first.</summary>
internal sealed record FakeIndex(Digest Digest, string Json, FakeImage Amd, FakeImage Arm, Digest Attestation, Digest Statement)
{
    /// <param name="name">Makes the images others than those of another name; they share the layer below.</param>
    public static FakeIndex Add(FakeRegistry registry, string tag, string name = "one")
    {
        FakeImage amd = registry.AddImage(null, "amd64", "base", $"{name}-amd");
        FakeImage arm = registry.AddImage(null, "arm64", "base", $"{name}-arm");
        byte[] statement = Encoding.UTF8.GetBytes($$"""{"predicate":"{{name}}"}""");
        Digest layer = registry.AddBlob(statement);
        // No rootfs: nothing of what is not unpacked is read.
        byte[] config = "{}"u8.ToArray();
        string attestation = $$"""
            {"schemaVersion":2,"mediaType":"{{FakeRegistry.OciManifest}}","config":{"mediaType":"{{FakeRegistry.OciConfig}}","digest":"{{registry.AddBlob(config)}}","size":{{config.Length}} },"layers":[{"mediaType":"application/vnd.in-toto+json","digest":"{{layer}}","size":{{statement.Length}} }]}
            """;
        Digest attested = registry.AddManifest(attestation);
        // Odd blanks: what is made anew from the parsed form has another digest.
        string json = $$"""
            {  "schemaVersion": 2, "mediaType":"{{FakeRegistry.OciIndex}}",
               "manifests":[ {{Entry(amd.Json, "linux", "amd64")}}, {{Entry(arm.Json, "linux", "arm64")}}, {{Entry(attestation, "unknown", "unknown")}} ] }
            """;
        return new FakeIndex(registry.AddManifest(json, FakeRegistry.OciIndex, tag), json, amd, arm, attested, layer);
    }

    /// <summary>An index that has another one as its only entry.</summary>
    public static Digest AddAround(FakeRegistry registry, FakeIndex inner, string tag) => registry.AddManifest(
        $$"""{"schemaVersion":2,"mediaType":"{{FakeRegistry.OciIndex}}","manifests":[{"mediaType":"{{FakeRegistry.OciIndex}}","digest":"{{inner.Digest}}","size":{{Encoding.UTF8.GetByteCount(inner.Json)}},"platform":{"os":"linux","architecture":"amd64"} }]}""",
        FakeRegistry.OciIndex,
        tag);

    private static string Entry(string manifest, string os, string architecture)
    {
        byte[] content = Encoding.UTF8.GetBytes(manifest);
        return $$"""{"mediaType":"{{FakeRegistry.OciManifest}}","digest":"{{Digest.Of(content)}}","size":{{content.Length}},"platform":{"os":"{{os}}","architecture":"{{architecture}}"} }""";
    }
}
