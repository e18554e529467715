using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Hull.Linux;
using Hull.Runtime.Bundles;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime state</c>: the document of runtime.md, "State", with what runc adds to it; also an element of
/// <c>list --format json</c>.</summary>
/// <remarks>By hand, as <see cref="ContainerState"/> is read: the serializer's preparation would be most of the call.</remarks>
internal static class RuntimeState
{
    /// <summary>hull runs containers as root alone.</summary>
    public const string Owner = "root";

    public static void Write((ContainerState State, string Status) container)
    {
        ArrayBufferWriter<byte> text = new(1024);
        using (Utf8JsonWriter json = new(text, new JsonWriterOptions { Indented = true }))
        {
            Append(json, container.State, container.Status);
        }

        text.Write("\n"u8);
        using SafeFileHandle output = new(1, ownsHandle: false);
        Files.Write(output, text.WrittenSpan);
    }

    public static void Append(Utf8JsonWriter json, ContainerState state, string status)
    {
        json.WriteStartObject();
        json.WriteString("ociVersion"u8, state.OciVersion);
        json.WriteString("id"u8, state.Id);
        json.WriteNumber("pid"u8, Pid(state, status));
        json.WriteString("status"u8, status);
        json.WriteString("bundle"u8, state.Bundle);
        json.WriteString("rootfs"u8, state.Rootfs);
        json.WriteString("created"u8, Created(state));
        if (state.Annotations is { Count: > 0 } annotations)
        {
            json.WriteStartObject("annotations"u8);
            foreach ((string name, string value) in annotations)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        json.WriteString("owner"u8, Owner);
        json.WriteEndObject();
    }

    public static int Pid(ContainerState state, string status) => status == "stopped" ? 0 : state.Pid;

    public static string Created(ContainerState state) => state.Created.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
