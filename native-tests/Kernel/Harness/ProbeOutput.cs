using System.Text.Json;

namespace Hull.Kernel.Tests.Harness;

/// <summary>Reads what native-tests/Probe printed: one JSON object a line, by its topic.</summary>
public static class ProbeOutput
{
    public static Dictionary<string, JsonElement> Parse(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => JsonDocument.Parse(line).RootElement)
        .ToDictionary(topic => topic.GetProperty("topic").GetString()!);

    /// <summary>A text field of a topic.</summary>
    public static string Text(this JsonElement topic, string field) => topic.GetProperty(field).GetString()!;

    /// <summary>A field that is a list of numbers.</summary>
    public static long[] Numbers(this JsonElement topic, string field) =>
        [.. topic.GetProperty(field).EnumerateArray().Select(element => element.GetInt64())];
}
