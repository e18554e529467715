using System.Text;
using Hull.Images.Diffing;

namespace Hull.Images.Tests;

/// <summary>What layers bring and hide, what two images differ in, and the steps of a history.</summary>
public sealed class LayerInsightTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [RootFact]
    public void CountLayers_ReplacedDeletedAndCoveredFiles_AreHidden()
    {
        Image image = _fixture.AddImage(
            "wasteful",
            new TarBuilder().Dir("d").File("d/a", new string('a', 100)).File("d/b", new string('b', 50)).Dir("o").File("o/x", new string('x', 7)).File("kept", "1").Build(),
            new TarBuilder().File("d/a", new string('A', 10)).Whiteout("d/.wh.b").Dir("o").Whiteout("o/.wh..wh..opq").File("o/y", "yy").Build(),
            new TarBuilder().File("d", "a file now").Build());

        IReadOnlyList<LayerUse> layers = _fixture.Store.CountLayers(image);

        Assert.Equal([(4, 158L, 3, 157L), (2, 12L, 1, 10L), (1, 10L, 0, 0L)], layers.Select(layer => (layer.Files, layer.Bytes, layer.HiddenFiles, layer.HiddenBytes)));
    }

    [RootFact]
    public void Compare_Images_NamesWhatIsAddedChangedAndRemoved()
    {
        byte[] shared = new TarBuilder().Dir("same").File("same/big", new string('x', 300_000)).Build();
        Image before = _fixture.AddImage("a", shared, new TarBuilder()
            .Dir("etc").File("etc/gone", "x").File("etc/same", "equal", mtime: "1000").File("etc/text", "one").File("etc/mode", "x").Symlink("link", "a").Dir("old").File("old/f").Build());
        Image after = _fixture.AddImage("b", shared, new TarBuilder()
            .Dir("etc").File("etc/same", "equal", mtime: "2000").File("etc/text", "two").File("etc/mode", "x", mode: 0x1ED).Symlink("link", "b").Dir("new").File("new/f").Build());

        Assert.Equal(
            ["Modified etc", "Deleted etc/gone", "Modified etc/mode", "Modified etc/text", "Modified link", "Added new", "Added new/f", "Deleted old"],
            Lines(before, after));
        Assert.Empty(Lines(before, before));
    }

    [Fact]
    public void Compare_EqualFilesOfDifferentLayers_AreNoChange()
    {
        string content = new('y', 200_000);
        Image one = _fixture.AddImage("one", new TarBuilder().File("f", content, mtime: "1").Build());
        Image two = _fixture.AddImage("two", new TarBuilder().File("f", content, mtime: "2").Build());
        Image three = _fixture.AddImage("three", new TarBuilder().File("f", content[..^1] + "z", mtime: "2").Build());

        Assert.Empty(Lines(one, two));
        Assert.Equal(["Modified f"], Lines(two, three));
    }

    [Fact]
    public void History_Steps_HaveTheirLayersSizes()
    {
        Image image = _fixture.AddImage("h", new TarBuilder().File("a", "12345").Build(), new TarBuilder().File("b", "123").Build());

        IReadOnlyList<ImageStep> steps = ImageStep.Of(
            [new() { CreatedBy = "first" }, new() { CreatedBy = "env", EmptyLayer = true }, new() { CreatedBy = "last" }], image.Layers);

        Assert.Equal([("last", 3L), ("env", 0L), ("first", 5L)], steps.Select(step => (step.Step.CreatedBy, step.Size)));
        Assert.Equal([(null, 3L), (null, 5L)], ImageStep.Of(null, image.Layers).Select(step => ((string?)step.Step.CreatedBy, step.Size)));
    }

    private List<string> Lines(Image before, Image after) =>
        [.. _fixture.Store.Compare(before, after).Select(change => $"{change.Kind} {Encoding.UTF8.GetString(change.Path)}")];
}
