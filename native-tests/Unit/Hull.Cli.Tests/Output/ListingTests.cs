using Hull.Cli.Output;
using Hull.Cli.Templates;

namespace Hull.Cli.Tests.Output;

public class ListingTests
{
    private static readonly TemplateField[] Fields =
    [
        new("ID", "CONTAINER ID"), new("Image", "IMAGE"), new("Names", "NAMES"), new("Label", "", InJson: false),
    ];

    private static readonly TemplateRow[] Rows = [Row("0123456789ab", "busybox:latest", "web"), Row("ba9876543210", "x", "böse")];

    [Theory]
    [InlineData(null, "CONTAINER ID   IMAGE            NAMES\n0123456789ab   busybox:latest   web\nba9876543210   x                böse\n")]
    [InlineData("table", "CONTAINER ID   IMAGE            NAMES\n0123456789ab   busybox:latest   web\nba9876543210   x                böse\n")]
    [InlineData("table {{.Names}}\\t{{.ID}}", "NAMES     CONTAINER ID\nweb       0123456789ab\nböse      ba9876543210\n")]
    [InlineData("table {{upper .Names}}\t{{.Label \"k\"}}", "NAMES     k\nWEB       label k\nBÖSE      label k\n")]
    [InlineData("{{.Names}}/{{.Label \"k\"}}", "web/label k\nböse/label k\n")]
    [InlineData("json", "{\"ID\":\"0123456789ab\",\"Image\":\"busybox:latest\",\"Names\":\"web\"}\n{\"ID\":\"ba9876543210\",\"Image\":\"x\",\"Names\":\"böse\"}\n")]
    public void Write_Format_RowsAsDockerWritesThem(string? format, string expected) =>
        Assert.Equal(expected, Write(Listing.Parse(format, "{{.ID}}\t{{.Image}}\t{{.Names}}")));

    [Fact]
    public void Write_Quiet_IdsOnly() =>
        Assert.Equal("0123456789ab\nba9876543210\n", Write(Listing.Parse(null, "{{.ID}}", "{{.ID}}")));

    [Fact]
    public void Write_UnknownField_NamesTheFields() => Assert.Equal(
        "template: :1: executing \"\" at <.Nope>: can't evaluate field Nope: the fields are ID, Image, Label, Names",
        Assert.Throws<TemplateException>(() => Write(Listing.Parse("{{.Nope}}", "{{.ID}}"))).Message);

    [Fact]
    public void Write_ValueWithTabOrLineEnd_PartsCellsAsThroughATemplate()
    {
        StringWriter output = new();
        Listing.Parse(null, "{{.ID}}\t{{.Image}}\t{{.Names}}").Write(output, Fields, [Row("1", "a\tb", "c"), Row("2", "d", "e\nf")]);

        Assert.Equal("CONTAINER ID   IMAGE     NAMES\n1              a         b         c\n2              d         e\nf\n", output.ToString());
    }

    [Fact]
    public void TabWriter_LinesWithFewerCells_PartTheColumns()
    {
        TabWriter table = new();
        table.Add("long long long cell\tb\nx\ty\nno cells\nx\ty\n");
        StringWriter output = new();
        table.WriteTo(output);
        Assert.Equal("long long long cell   b\nx                     y\nno cells\nx         y\n", output.ToString());
    }

    private static string Write(Listing listing)
    {
        StringWriter output = new();
        listing.Write(output, Fields, Rows);
        return output.ToString();
    }

    private static TemplateRow Row(string id, string image, string names) => new(Fields, (name, argument) => TemplateValue.Of(name switch
    {
        "ID" => id,
        "Image" => image,
        "Names" => names,
        _ => $"label {argument}",
    }));
}
