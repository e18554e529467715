using System.Globalization;
using System.Text;
using Hull.Oci.ImageSpec;

namespace Hull.Oci.Tests;

/// <summary>References and manifests out of mutated examples: always an answer, and an accepted one keeps what its type promises.
/// The seed is fixed; HULL_TEST_FUZZ sets how many inputs there are (scripts/fuzz).</summary>
public sealed class ParserFuzzTests
{
    private const int Seed = 20240607;
    private static readonly int Inputs =
        int.TryParse(Environment.GetEnvironmentVariable("HULL_TEST_FUZZ"), CultureInfo.InvariantCulture, out int inputs) ? inputs : 20_000;

    private static readonly string Hex = new('a', 64);

    private static readonly string[] References =
    [
        "busybox", "library/busybox:latest", "localhost:5000/team/app:1.0-rc_2", $"quay.io/a/b@sha256:{Hex}", $"[::1]:5000/x:t@sha256:{Hex}",
        "a__b/c--d.e/f", "UPPER.example/x", "127.0.0.1/x",
    ];

    private static readonly string[] Documents =
    [
        $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{{Hex}}","size":7},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:{{Hex}}","size":9,"urls":["https://x"]}],"annotations":{"a":"b"} }""",
        $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{{Hex}}","size":5,"platform":{"os":"linux","architecture":"arm64","variant":"v8"} }]}""",
        $$"""{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","config":{"Env":["A=b"],"Cmd":null,"ExposedPorts":{"80/tcp":{} } },"rootfs":{"type":"layers","diff_ids":["sha256:{{Hex}}"]},"history":[{"empty_layer":true}]}""",
        $$"""{"schemaVersion":2,"mediaType":"application\u002fvnd.oci.image.manifest.v1+json","config":{"digest":"sha256:{{Hex}}","size":7},"layers":[],"annotations":{"\ud83d\ude00":"\ud83d\ude00é"} }""",
    ];

    [Fact]
    public void References_Mutated_AreRefusedOrSafeInAUrl()
    {
        Random random = new(Seed);
        for (int i = 0; i < Inputs; i++)
        {
            string text = Encoding.Latin1.GetString(Mutate(random, Encoding.Latin1.GetBytes(References[i % References.Length]), "/:@.-_[]%~ \n\0é0A"u8));
            if (!ImageReference.TryParse(text, out ImageReference? reference, out string? error))
            {
                Assert.StartsWith("invalid reference format", error, StringComparison.Ordinal);
                continue;
            }

            Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
            Assert.Equal(reference, ImageReference.Parse(reference.Familiar));
            Uri url = new($"https://{reference.Domain}/v2/{reference.Path}/manifests/{reference.Tag ?? reference.Digest.ToString()}");
            Assert.Equal($"/v2/{reference.Path}/manifests/{reference.Tag ?? reference.Digest.ToString()}", url.AbsolutePath);
            Assert.Equal("", url.Query + url.Fragment + url.UserInfo);
        }
    }

    [Fact]
    public void Documents_Mutated_AreRefusedInWordsOrWhatTheyAre()
    {
        Random random = new(Seed);
        int accepted = 0;
        for (int i = 0; i < Inputs; i++)
        {
            byte[] json = Mutate(random, Encoding.UTF8.GetBytes(Documents[i % Documents.Length]), "{}[]\",:0-9e.nulltrue\\\0"u8);
            accepted += Accepts(() => ImageDocuments.ParseManifest(json, "m").Layers.All(layer => layer.Size >= 0 && layer.Digest.Hex.Length == 64))
                | Accepts(() => ImageDocuments.ParseIndex(json, "i").Manifests.All(entry => entry.Size >= 0 && entry.Digest.Hex.Length == 64))
                | Accepts(() => ImageDocuments.ParseConfig(json, "c", out IReadOnlyList<Digest> diffIds) is not null && diffIds.All(id => id.Hex.Length == 64));

            // One document is never two things (CVE-2021-41190).
            Assert.True(
                Accepts(() => ImageDocuments.ParseManifest(json, "m") is not null) + Accepts(() => ImageDocuments.ParseIndex(json, "i") is not null) < 2,
                Encoding.UTF8.GetString(json));
        }

        Assert.InRange(accepted, 1, Inputs - 1);
    }

    /// <summary>1 where the parser accepts; any exception but its own fails the test.</summary>
    private static int Accepts(Func<bool> parse)
    {
        try
        {
            Assert.True(parse());
            return 1;
        }
        catch (ImageSpecException e)
        {
            Assert.DoesNotContain(e.Message, char.IsControl);
            return 0;
        }
    }

    /// <summary>A few bytes changed, removed, doubled or put in.</summary>
    private static byte[] Mutate(Random random, byte[] seed, ReadOnlySpan<byte> alphabet)
    {
        List<byte> bytes = [.. seed];
        for (int changes = random.Next(0, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            byte letter = alphabet[random.Next(alphabet.Length)];
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = letter;
                    break;
                case 1:
                    bytes.Insert(at, letter);
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 60), bytes.Count - at)));
                    break;
                default:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return [.. bytes];
    }
}
