using System.Text;
using Hull.Cli.Terminal;
using Hull.Engine;

namespace Hull.Cli.Tests.Terminal;

public class DetachKeysTests
{
    [Theory]
    [InlineData(null, "abc", "abc", false)]
    [InlineData(null, "a\u0010\u0011b", "a", true)]
    [InlineData(null, "a\u0010|\u0011", "a", true)]
    [InlineData(null, "\u0010|x", "\u0010x", false)]
    [InlineData(null, "\u0010\u0010\u0011", "\u0010", true)]
    [InlineData("ctrl-a,ctrl-a,b", "\u0001\u0001\u0001b", "\u0001", true)]
    [InlineData("a,b,a,c", "ababac", "ab", true)]
    [InlineData("", "\u0010\u0011", "\u0010\u0011", false)]
    [InlineData("ctrl-\\", "x\u001c", "x", true)]
    public void Filter_Typed_PassesAllButTheSequence(string? keys, string typed, string passed, bool detached)
    {
        DetachKeys filter = DetachKeys.Parse(keys);
        StringBuilder output = new();
        bool found = false;
        // A bar parts what comes in two reads.
        foreach (string read in typed.Split('|'))
        {
            byte[] buffer = new byte[64];
            found = filter.Filter(Encoding.UTF8.GetBytes(read), buffer, out int length);
            output.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }

        Assert.Equal((passed, detached), (output.ToString(), found));
    }

    [Theory]
    [InlineData("zzz")]
    [InlineData("ctrl-1")]
    [InlineData("a,,b")]
    public void Parse_Nonsense_SaysWhatKeysAre(string keys) =>
        Assert.Contains("invalid detach keys", Assert.Throws<EngineException>(() => DetachKeys.Parse(keys)).Message, StringComparison.Ordinal);
}
