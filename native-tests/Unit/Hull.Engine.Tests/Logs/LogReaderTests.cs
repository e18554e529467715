using System.Text;
using Hull.Engine.Logs;

namespace Hull.Engine.Tests.Logs;

public sealed class LogReaderTests : IDisposable
{
    private static readonly DateTime Start = new(2026, 5, 6, 7, 8, 9, DateTimeKind.Utc);
    private readonly string _directory = Directory.CreateTempSubdirectory("hull-log-").FullName;

    private string LogPath => Path.Combine(_directory, "c-json.log");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void TryNext_NoLogYet_GivesNothingThenWhatCame()
    {
        using LogReader reader = new(LogPath, new LogQuery());
        Assert.Empty(Read(reader));
        using JsonFileLog log = new(LogPath, LogOptions.Default);

        log.Write(LogStream.Stdout, "late\n"u8, Start);

        Assert.Equal(["late\n"], Read(reader));
        Assert.Empty(Read(reader));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(5000)]
    public void TryNext_Tail_GivesTheLastEntriesAcrossFiles(int tail)
    {
        WriteNumbered(new LogOptions(true, 2000, 5), 0, 100);
        string[] all = Read(new LogReader(LogPath, new LogQuery()));

        string[] last = Read(new LogReader(LogPath, new LogQuery { Tail = tail }));

        Assert.True(File.Exists(LogPath + ".3"));
        Assert.Equal(all.TakeLast(tail), last);
        Assert.Equal("line 99\n", all[^1]);
    }

    [Fact]
    public void TryNext_LongEntriesAndTail_AreWhole()
    {
        using (JsonFileLog log = new(LogPath, LogOptions.Default))
        {
            for (int i = 0; i < 40; i++)
            {
                log.Write(LogStream.Stdout, Encoding.UTF8.GetBytes(new string((char)('a' + (i % 26)), 16_000) + "\n"), Start);
            }
        }

        string[] last = Read(new LogReader(LogPath, new LogQuery { Tail = 7 }));

        Assert.Equal(7, last.Length);
        Assert.All(last, text => Assert.Equal(16_001, text.Length));
    }

    [Fact]
    public void TryNext_RotatedWhileReading_LosesAndRepeatsNothing()
    {
        LogOptions options = new(true, 1000, 4);
        using JsonFileLog log = new(LogPath, options);
        using LogReader reader = new(LogPath, new LogQuery());
        List<string> seen = [];
        for (int i = 0; i < 500; i++)
        {
            log.Write(LogStream.Stdout, Encoding.UTF8.GetBytes($"line {i}\n"), Start);
            if (i % 7 == 0)
            {
                seen.AddRange(Read(reader));
            }
        }

        seen.AddRange(Read(reader));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"line {i}\n"), seen);
    }

    [Fact]
    public void TryNext_OwnFileRemovedByRotation_GoesOnWithTheOldest()
    {
        WriteNumbered(new LogOptions(true, 1000, 3), 0, 1);
        using LogReader reader = new(LogPath, new LogQuery());
        Assert.Equal(["line 0\n"], Read(reader));

        WriteNumbered(new LogOptions(true, 1000, 3), 1, 200);

        string[] seen = Read(reader);
        Assert.Equal("line 199\n", seen[^1]);
        Assert.InRange(seen.Length, 20, 60);
    }

    [Fact]
    public void TryNext_SinceAndUntil_BoundTheTimes()
    {
        WriteNumbered(LogOptions.Default, 0, 10);
        using LogReader reader = new(LogPath, new LogQuery { Since = Start.AddSeconds(3), Until = Start.AddSeconds(5) });

        Assert.Equal(["line 3\n", "line 4\n", "line 5\n"], Read(reader));
        Assert.True(reader.PastEnd);
    }

    [Fact]
    public void TryNext_TornAndForeignLines_AreSkipped()
    {
        File.WriteAllText(LogPath, """
            {"log":"a\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}
            {"log":"torn","str
            nonsense
            {"log":5,"stream":"stdout","time":"2026-01-02T03:04:05Z"}
            {"log":"none\n","time":"2026-01-02T03:04:05Z"}
            {"log":"b\n","stream":"stderr","attrs":{"log":"x","stream":"stdout"},"time":"2026-01-02T04:04:05.123456789+01:00"}
            {"log":"unfinished
            """);
        using LogReader reader = new(LogPath, new LogQuery());

        Assert.True(reader.TryNext(out LogEntry first));
        Assert.Equal((LogStream.Stdout, "a\n"), (first.Stream, Encoding.UTF8.GetString(first.Text)));
        Assert.True(reader.TryNext(out LogEntry second));
        Assert.Equal((LogStream.Stderr, "b\n"), (second.Stream, Encoding.UTF8.GetString(second.Text)));
        Assert.Equal(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1_234_567), second.Time);
        Assert.False(reader.TryNext(out _));
    }

    [Theory]
    [InlineData("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z")]
    [InlineData("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000000Z")]
    [InlineData("2024-02-29T23:59:59.1234567-05:30", "2024-03-01T05:29:59.123456700Z")]
    public void LogTime_ParsedAndFormatted_IsTheSameMoment(string text, string expected)
    {
        Assert.True(LogTime.TryParse(Encoding.UTF8.GetBytes(text), out DateTime time));

        byte[] buffer = new byte[LogTime.MaximumLength];
        Assert.Equal(expected, Encoding.UTF8.GetString(buffer, 0, LogTime.Format(time, buffer, fixedWidth: true)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-13-02T03:04:05Z")]
    [InlineData("2026-02-30T03:04:05Z")]
    [InlineData("2026-01-02T03:04:05")]
    [InlineData("2026-01-02T03:04:05.1")]
    [InlineData("0001-01-01T00:00:00+23:00")]
    [InlineData("2026-01-02T+3:04:05Z")]
    public void LogTime_Nonsense_IsRefused(string text) => Assert.False(LogTime.TryParse(Encoding.UTF8.GetBytes(text), out _));

    private void WriteNumbered(LogOptions options, int from, int to)
    {
        using JsonFileLog log = new(LogPath, options);
        for (int i = from; i < to; i++)
        {
            log.Write(LogStream.Stdout, Encoding.UTF8.GetBytes($"line {i}\n"), Start.AddSeconds(i));
        }
    }

    private static string[] Read(LogReader reader)
    {
        List<string> texts = [];
        while (reader.TryNext(out LogEntry entry))
        {
            texts.Add(Encoding.UTF8.GetString(entry.Text));
        }

        return [.. texts];
    }
}
