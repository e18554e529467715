using System.Text;
using System.Text.Json;
using Hull.Engine.Containers;
using Hull.Engine.Logs;

namespace Hull.Engine.Tests.Logs;

public sealed class JsonFileLogTests : IDisposable
{
    private static readonly DateTime Time = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(6_700_000);
    private readonly string _directory = Directory.CreateTempSubdirectory("hull-log-").FullName;

    private string LogPath => Path.Combine(_directory, "c-json.log");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Write_TwoStreams_IsDockersFormat()
    {
        Write(LogOptions.Default, (LogStream.Stdout, "one\ntw"), (LogStream.Stderr, "err\n"), (LogStream.Stdout, "o\n"));

        Assert.Equal(
            """
            {"log":"one\n","stream":"stdout","time":"2026-01-02T03:04:05.67Z"}
            {"log":"err\n","stream":"stderr","time":"2026-01-02T03:04:05.67Z"}
            {"log":"two\n","stream":"stdout","time":"2026-01-02T03:04:05.67Z"}

            """,
            File.ReadAllText(LogPath));
    }

    [Theory]
    [InlineData("a\"b\\c", @"a\""b\\c")]
    [InlineData("tab\tbell\u0007\r", @"tab\u0009bell\u0007\r")]
    [InlineData("<a>&", @"\u003ca\u003e\u0026")]
    [InlineData("héllo €😀", "héllo €😀")]
    [InlineData("\u2028\u2029", @"\u2028\u2029")]
    [InlineData("\u007f", "\u007f")]
    public void Write_SpecialCharacters_AreEscapedAsDockerDoes(string text, string expected)
    {
        Write(LogOptions.Default, (LogStream.Stdout, text + "\n"));

        Assert.StartsWith("{\"log\":\"" + expected + "\\n\"", File.ReadAllText(LogPath), StringComparison.Ordinal);
        Assert.Equal(text + "\n", JsonDocument.Parse(File.ReadAllLines(LogPath)[0]).RootElement.GetProperty("log").GetString());
    }

    [Fact]
    public void Write_BytesThatAreNotUtf8_BecomeReplacementCharactersOneEach()
    {
        using (JsonFileLog log = new(LogPath, LogOptions.Default))
        {
            log.Write(LogStream.Stdout, [(byte)'a', 0xff, 0xe2, 0x82, (byte)'b', 0xc0, (byte)'\n'], Time);
        }

        Assert.StartsWith(@"{""log"":""a\ufffd\ufffd\ufffdb\ufffd\n""", File.ReadAllText(LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_LineOver16KiB_IsSplitAndJoinsToTheSame()
    {
        string line = string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i}é😀"));
        using (JsonFileLog log = new(LogPath, LogOptions.Default))
        {
            foreach (byte[] part in Encoding.UTF8.GetBytes(line + "\nnext\n").Chunk(999))
            {
                log.Write(LogStream.Stdout, part, Time);
            }
        }

        string[] entries = Entries();
        Assert.Equal(line + "\n", string.Concat(entries[..^1]));
        Assert.All(entries[..^2], entry => Assert.InRange(Encoding.UTF8.GetByteCount(entry), 16 * 1024 - 3, 16 * 1024));
        Assert.All(entries[..^2], entry => Assert.False(entry.EndsWith('\n')));
        Assert.Equal("next\n", entries[^1]);
    }

    [Fact]
    public void Write_LineOfExactly16KiB_EndsInAnEmptyEntry()
    {
        Write(LogOptions.Default, (LogStream.Stdout, new string('x', 16 * 1024)), (LogStream.Stdout, "\n"));

        Assert.Equal([new string('x', 16 * 1024), "\n"], Entries());
    }

    [Fact]
    public void Finish_UnfinishedLine_IsLoggedWithoutLineFeed()
    {
        using (JsonFileLog log = new(LogPath, LogOptions.Default))
        {
            log.Write(LogStream.Stdout, "prompt> "u8, Time);
            Assert.False(File.Exists(LogPath));
            log.Finish(Time);
        }

        Assert.Equal(["prompt> "], Entries());
    }

    [Fact]
    public void Write_NoneDriver_MakesNoFile()
    {
        Write(LogOptions.Parse(new LogConfig { Driver = "none" }), (LogStream.Stdout, "x\n"));

        Assert.False(File.Exists(LogPath));
    }

    [Fact]
    public void Write_BeyondMaximumSize_KeepsSoManyFilesOfThatSize()
    {
        LogOptions options = LogOptions.Parse(new LogConfig { Options = new Dictionary<string, string> { ["max-size"] = "1k", ["max-file"] = "3" } });
        Write(options, [.. Enumerable.Range(0, 200).Select(i => (LogStream.Stdout, $"line {i}\n"))]);

        string[] files = [.. Directory.GetFiles(_directory).Select(file => Path.GetFileName(file)!).Order()];
        Assert.Equal(["c-json.log", "c-json.log.1", "c-json.log.2"], files);
        Assert.All(Directory.GetFiles(_directory), file => Assert.InRange(new FileInfo(file).Length, 1, 1100));
        Assert.Contains("line 199", File.ReadAllText(LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OneFileOnly_StartsItAnew()
    {
        LogOptions options = LogOptions.Parse(new LogConfig { Options = new Dictionary<string, string> { ["max-size"] = "1k", ["max-file"] = "1" } });
        Write(options, [.. Enumerable.Range(0, 100).Select(i => (LogStream.Stdout, $"line {i}\n"))]);

        Assert.Equal([LogPath], Directory.GetFiles(_directory));
        Assert.InRange(new FileInfo(LogPath).Length, 1, 1100);
    }

    [Fact]
    public void Write_ExistingLog_IsContinued()
    {
        Write(LogOptions.Default, (LogStream.Stdout, "one\n"));
        Write(LogOptions.Default, (LogStream.Stdout, "two\n"));

        Assert.Equal(["one\n", "two\n"], Entries());
    }

    [Fact]
    public void Write_LogCannotBeWritten_IsSurvivedAndToldOnceItCan()
    {
        string directory = Path.Combine(_directory, "later");
        string path = Path.Combine(directory, "c-json.log");
        using JsonFileLog log = new(path, LogOptions.Default);

        log.Write(LogStream.Stdout, "lost 1\nlost 2\n"u8, Time);
        Assert.StartsWith("2 log lines lost: open " + path, log.Trouble, StringComparison.Ordinal);
        Directory.CreateDirectory(directory);
        log.Write(LogStream.Stdout, "kept\n"u8, Time);

        Assert.Null(log.Trouble);
        string[] lines = File.ReadAllLines(path);
        Assert.Equal(2, lines.Length);
        Assert.Contains("hull: 2 log lines lost", lines[0], StringComparison.Ordinal);
        Assert.Contains("ENOENT", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("{\"log\":\"kept", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Write_FullDevice_CountsEveryLine()
    {
        // /dev/full refuses every write with ENOSPC.
        File.CreateSymbolicLink(LogPath, "/dev/full");
        using JsonFileLog log = new(LogPath, LogOptions.Default);

        log.Write(LogStream.Stdout, "a\nb\n"u8, Time);
        log.Write(LogStream.Stderr, "c\n"u8, Time);

        Assert.StartsWith("3 log lines lost: write", log.Trouble, StringComparison.Ordinal);
        Assert.Contains("ENOSPC", log.Trouble, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10m", 10_000_000)]
    [InlineData("512k", 512_000)]
    [InlineData("1g", 1_000_000_000)]
    [InlineData("1.5mb", 1_500_000)]
    [InlineData("77", 77)]
    [InlineData("-1", 0)]
    public void Parse_MaxSize_CountsBytes(string text, long expected) =>
        Assert.Equal(expected, LogOptions.Parse(new LogConfig { Options = new Dictionary<string, string> { ["max-size"] = text } }).MaximumSize);

    [Fact]
    public void Parse_Nothing_RotatesByDefault() => Assert.Equal(new LogOptions(true, 10_000_000, 3), LogOptions.Parse(null));

    [Theory]
    [InlineData(null, "max-size", "much")]
    [InlineData(null, "max-size", "0")]
    [InlineData(null, "max-size", "99999999999999999999g")]
    [InlineData(null, "max-file", "0")]
    [InlineData(null, "max-file", "x")]
    [InlineData(null, "compress", "true")]
    [InlineData(null, "colour", "red")]
    [InlineData("syslog", null, null)]
    public void Parse_Nonsense_IsInvalid(string? driver, string? option, string? value)
    {
        Dictionary<string, string> options = option is null ? [] : new() { [option] = value! };

        EngineException error = Assert.Throws<EngineException>(() => LogOptions.Parse(new LogConfig { Driver = driver, Options = options }));

        Assert.Equal(EngineErrorKind.Invalid, error.Kind);
    }

    private void Write(LogOptions options, params (LogStream Stream, string Text)[] parts)
    {
        using JsonFileLog log = new(LogPath, options);
        foreach ((LogStream stream, string text) in parts)
        {
            log.Write(stream, Encoding.UTF8.GetBytes(text), Time);
        }
    }

    private string[] Entries() =>
        [.. File.ReadAllLines(LogPath).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("log").GetString()!)];
}
