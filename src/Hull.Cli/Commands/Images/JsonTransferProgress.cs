using System.Text;
using System.Text.Json;
using Hull.Images.Registry;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary><c>--progress json</c>: one object a line, members as in the Docker API's progress messages.</summary>
/// <remarks>
/// <code>
/// {"status":"1: Pulling from team/app"}                                                         about the whole
/// {"status":"Downloading","progressDetail":{"current":1024,"total":4096},"id":"0123456789ab"}   about a layer; bytes
/// {"status":"Pull complete","progressDetail":{},"id":"0123456789ab"}
/// </code>
/// The words of <c>status</c> are docker's. Lines about moving bytes come at most twenty times a second for each layer.
/// </remarks>
internal sealed class JsonTransferProgress(TextWriter output) : ITransferProgress
{
    public void Message(string line) => Write(writer => writer.WriteString("status", line));

    public void Layer(LayerProgress progress) => Write(writer =>
    {
        writer.WriteString("status", progress.Text);
        writer.WriteStartObject("progressDetail");
        if (progress.IsMoving)
        {
            writer.WriteNumber("current", progress.Current);
            writer.WriteNumber("total", progress.Total);
        }

        writer.WriteEndObject();
        writer.WriteString("id", progress.Layer);
    });

    private void Write(Action<Utf8JsonWriter> members)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter writer = new(line, new JsonWriterOptions { Encoder = MinimalJsonEncoder.Instance }))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length));
        output.Flush();
    }
}
