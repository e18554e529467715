using System.Text;
using Hull.Images.Registry;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>What a registry says before anything is known of it, with bytes changed, cut and doubled: an answer or an error in words.
/// <c>HULL_TEST_FUZZ</c> says how many (scripts/fuzz).</summary>
public sealed class ManifestFuzzTests
{
    private const int Seed = 20_261_122;

    private static readonly byte[][] Documents =
    [
        Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{FakeRegistry.OciManifest}}","layers":[{"x":[1,2,{}]}]}"""),
        Encoding.UTF8.GetBytes("""{"mediaType":"\ud83d\ude00é","schemaVersion":1,"manifests":[]}"""),
    ];

    private static readonly byte[] Challenge =
        [.. "Bearer realm=\"https://auth.example/token\",service=\"a, \\\"b\",scope=\"repository:x:pull\", Basic realm=x"u8];

    [Fact]
    public void Determine_MutatedDocuments_NameAManifestOrAreRefused()
    {
        Random random = new(Seed);
        int accepted = 0;
        for (int i = 0; i < FuzzInputs.Count; i++)
        {
            byte[] document = FuzzInputs.Mutate(Documents[i % Documents.Length], random);
            try
            {
                string type = ManifestMediaType.Determine(i % 3 == 0 ? null : FakeRegistry.OciManifest, document, "m");
                Assert.True(MediaTypes.IsManifest(type) || MediaTypes.IsIndex(type), type);
                accepted++;
            }
            catch (RegistryException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }

        Assert.InRange(accepted, 1, FuzzInputs.Count - 1);
    }

    [Fact]
    public void Parse_MutatedChallenges_NeverThrows()
    {
        Random random = new(Seed);
        for (int i = 0; i < FuzzInputs.Count; i++)
        {
            string header = Encoding.Latin1.GetString(FuzzInputs.Mutate(Challenge, random));
            Assert.All(AuthChallenge.Parse([header]), challenge => Assert.NotNull(challenge.Scheme));
        }
    }
}
