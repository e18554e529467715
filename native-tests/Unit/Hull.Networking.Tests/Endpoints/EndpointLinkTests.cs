using Hull.Networking.Endpoints;

namespace Hull.Networking.Tests.Endpoints;

public sealed class EndpointLinkTests
{
    [Theory]
    [InlineData("web", "web", "web")]
    [InlineData("web:db", "web", "db")]
    [InlineData("web_1.x:db-2", "web_1.x", "db-2")]
    public void Parse_NameAndAlias(string text, string target, string alias)
    {
        EndpointLink link = EndpointLink.Parse(text);

        Assert.Equal(new EndpointLink(target, alias), link);
        Assert.Equal(link, EndpointLink.Parse(link.ToString()));
    }

    [Fact]
    public void Name_OfAnId_IsItsBeginning()
    {
        Assert.Equal("0123456789ab", new EndpointLink("0123456789ab" + new string('c', 52), "db").Name);
        Assert.Equal("0123456789abc", new EndpointLink("0123456789abc", "db").Name);
    }

    [Theory]
    [InlineData("", "empty string specified for links")]
    [InlineData("web:db:x", "bad format for links: web:db:x")]
    [InlineData(":db", "bad format for links: :db")]
    [InlineData("web:", "bad format for links: web:")]
    [InlineData("../web:db", "bad format for links: ../web:db")]
    [InlineData("web:a b", "bad format for links")]
    public void Parse_Malformed_IsRefusedInDockersWords(string text, string words)
    {
        NetworkException error = Assert.Throws<NetworkException>(() => EndpointLink.Parse(text));

        Assert.Equal(NetworkError.Invalid, error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }
}
