using Hull.Images.Checking;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Images.Tests;

/// <summary>Each kind of damage is named, and mended where the store has what it takes.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly StoreFixture _fixture = new();
    private readonly Image _image;

    public CheckTests() => _image = _fixture.AddImage(
        "whole:1",
        new TarBuilder().Dir("etc").File("etc/a", "content").File("top", "x").Symlink("link", "etc/a").Build(),
        new TarBuilder().File("etc/b", "second").HardLink("etc/c", "etc/b").Build());

    public void Dispose() => _fixture.Dispose();

    private ImageStore Store => _fixture.Store;

    private string Data => $"{_fixture.Root}/data";

    private string Layer(int index) => $"{Data}/layers/{_image.ChainIds[index].Hex}";

    private IReadOnlyList<Damage> Check(params ImageUse[] uses) => Store.Check(() => uses, out _);

    /// <summary>The only damage, which is not mended by being looked at.</summary>
    private Damage TheDamage(params ImageUse[] uses)
    {
        Check(uses);
        return Assert.Single(Check(uses));
    }

    private void AssertMended(Damage damage)
    {
        Assert.True(damage.Mend!());
        Assert.Empty(Check());
    }

    [Fact]
    public void Check_WholeStore_IsNoDamage()
    {
        Assert.Empty(Store.Check(() => [], out string extent));
        Assert.Equal("1 images, 2 layers, 4 blobs", extent);
    }

    [RootFact]
    public void Check_LayersOfEveryKind_AreNoDamage()
    {
        _fixture.AddImage(
            "odd:1",
            new TarBuilder().Dir("d").File("d/x", "1").File("d/y", "2").Dir("gone").File("gone/f").File("twice", "first").Build(),
            new TarBuilder().File("twice", "a").File("twice", "second").Whiteout("d/.wh.x").Whiteout("gone/.wh..wh..opq").HardLink("d/z", "d/y")
                .Entry("pipe", '6').Dir("was").File("was/f", "x").File("was", "now a file").Whiteout(".wh..wh.plnk").File("./dotted", "x")
                .Symlink("to", "d").File("to/through", "x").Build());

        Assert.Empty(Check());
    }

    [Fact]
    public void Check_ChangedLayerFile_IsUnpackedAgain()
    {
        File.WriteAllText($"{Layer(0)}/diff/etc/a", "CONTENT");

        Damage damage = TheDamage();

        Assert.Contains("was changed: 'etc/a' has other content", damage.What, StringComparison.Ordinal);
        AssertMended(damage);
        Assert.Equal("content", File.ReadAllText($"{Layer(0)}/diff/etc/a"));
    }

    [Theory]
    [InlineData("is missing", "etc/a", null)]
    [InlineData("has 3 bytes, its archive 7", "etc/a", "abc")]
    [InlineData("'etc/more' is not in its archive", "etc/more", "x")]
    public void Check_OtherChangesOfALayer_AreNamed(string problem, string path, string? content)
    {
        if (content is null)
        {
            File.Delete($"{Layer(0)}/diff/{path}");
        }
        else
        {
            File.WriteAllText($"{Layer(0)}/diff/{path}", content);
        }

        Damage damage = TheDamage();

        Assert.Contains(problem, damage.What, StringComparison.Ordinal);
        AssertMended(damage);
    }

    [Fact]
    public void Check_HalfLayer_IsUnpackedAgain()
    {
        File.Delete($"{Layer(1)}/layer.json");

        Damage damage = TheDamage();

        Assert.Contains("is half there", damage.What, StringComparison.Ordinal);
        AssertMended(damage);
    }

    [Fact]
    public void Check_MissingLayer_IsUnpackedAgain()
    {
        DirectoryListing.RemoveTree(Layer(0));

        Damage damage = TheDamage();

        Assert.Contains("is not unpacked", damage.What, StringComparison.Ordinal);
        AssertMended(damage);
    }

    [Fact]
    public void Check_LayerOfARunningContainer_IsLeftAlone()
    {
        File.WriteAllText($"{Layer(0)}/diff/top", "y");

        Damage damage = TheDamage(new ImageUse("c", _image.Id, _image.ChainIds, IsRunning: true));

        Assert.False(damage.Mend!());
        Assert.Equal("stop the containers that use it first", damage.Advice);
        Assert.Equal("y", File.ReadAllText($"{Layer(0)}/diff/top"));
    }

    [Fact]
    public void Check_FlippedBlob_IsDroppedSoThatALoadBringsItAgain()
    {
        Digest blob = _image.Layers[0].Blob.Digest;
        byte[] content = File.ReadAllBytes(Store.Blobs.PathOf(blob));
        byte[] flipped = [.. content];
        flipped[^1] ^= 1;
        File.WriteAllBytes(Store.Blobs.PathOf(blob), flipped);

        Damage damage = TheDamage();

        Assert.Contains("has other content than its digest says", damage.What, StringComparison.Ordinal);
        Assert.Contains("pull or load the image again", damage.Advice, StringComparison.Ordinal);
        Assert.False(damage.Mend!());
        Assert.Contains("is missing", TheDamage().What, StringComparison.Ordinal);
        using (BlobWriter again = Store.Blobs.Begin())
        {
            again.Write(content);
            again.Commit(blob);
        }

        Assert.Empty(Check());
    }

    [Fact]
    public void Check_LayerAndItsBlobDamaged_SaysThatNothingHereCanMendIt()
    {
        File.Delete(Store.Blobs.PathOf(_image.Layers[1].Blob.Digest));
        DirectoryListing.RemoveTree(Layer(1));

        Damage layer = Check().Single(damage => damage.What.Contains("is not unpacked", StringComparison.Ordinal));

        Assert.Null(layer.Mend);
        Assert.Contains("its archive is damaged too", layer.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_DamagedRecord_IsMadeAgainUnderItsNames()
    {
        File.WriteAllText($"{Data}/images/records/{_image.Id.Hex}.json", "{\"id\":");

        Damage damage = Check()[0];

        Assert.Contains("its record is damaged", damage.What, StringComparison.Ordinal);
        Assert.True(damage.Mend!());
        Assert.Equal(_image.Id, Store.Find("whole:1").Required().Id);
        Assert.Empty(Check());
    }

    [Fact]
    public void Check_DamagedRecordWithoutItsBlobs_GoesSoThatTheImageCanBeHadAgain()
    {
        Image other = _fixture.AddImage("other", new TarBuilder().File("o").Build());
        File.WriteAllText($"{Data}/images/records/{_image.Id.Hex}.json", "");
        File.Delete(Store.Blobs.PathOf(_image.ManifestDigest));

        Assert.Equal([other.Id], Store.List().Select(image => image.Id));
        Assert.False(Check()[0].Mend!());

        Assert.Null(Store.Find("whole:1").Image);
        Assert.Empty(Check());
    }

    [Fact]
    public void Check_DanglingReference_IsRemoved()
    {
        File.CreateSymbolicLink($"{Data}/images/references/docker.io+library+gone:1", $"../records/{new string('0', 64)}.json");

        Damage damage = Check().Single(found => found.What.StartsWith("reference", StringComparison.Ordinal));

        Assert.Equal("reference docker.io/library/gone:1: its image is gone", damage.What);
        AssertMended(damage);
    }

    [Fact]
    public void Check_Leftovers_AreNamedAndSwept_ButNotThoseOfTheLiving()
    {
        using BlobWriter living = Store.Blobs.Begin();
        Directory.CreateDirectory($"{Data}/layers/new-1-dead/diff");

        Damage damage = TheDamage();

        Assert.Contains("layers/new-1-dead: left by a process that was killed", damage.What, StringComparison.Ordinal);
        AssertMended(damage);
    }

    [Theory]
    [InlineData("index.json")]
    [InlineData("oci-layout")]
    public void Check_LayoutDocumentGone_IsWrittenAgain(string name)
    {
        File.Delete($"{Data}/images/{name}");

        AssertMended(TheDamage());
        Assert.True(new FileInfo($"{Data}/images/{name}").Length > 0);
    }
}
