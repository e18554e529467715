using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hull.Cli.Commands.Images;
using Hull.Cli.Commands.Volumes;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Images;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands;

/// <summary><c>hull inspect</c>: everything that is known of containers, images, networks and volumes, in docker's JSON.</summary>
internal static class InspectCommand
{
    public const string Any = "";
    public const string Container = "container";
    public const string Image = "image";
    public const string Network = "network";
    public const string Volume = "volume";

    public static HullCommand Create(CliContext context, string path, string type)
    {
        Option<string?> format = Formats.Option();
        Option<bool?> size = Flags.Switch("--size", "Display total file sizes if the type is container", "-s");
        Option<string?> platform = Flags.Text("--platform", "string", "Inspect a specific platform of the multi-platform image");
        Option<string?> only = Flags.Text("--type", "string", "Only inspect objects of the given type");
        (string usage, string description, string aliases) = type switch
        {
            Container => ("[OPTIONS] CONTAINER [CONTAINER...]", "Display detailed information on one or more containers", ""),
            Network => ("[OPTIONS] NETWORK [NETWORK...]", "Display detailed information on one or more networks", ""),
            Volume => ("[OPTIONS] VOLUME [VOLUME...]", "Display detailed information on one or more volumes", ""),
            Image => ("[OPTIONS] IMAGE [IMAGE...]", "Display detailed information on one or more images", ""),
            _ => ("[OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on objects", ""),
        };
        HullCommand command = new(path, usage, description, 1)
        {
            AliasLine = aliases,
            Completion = type switch
            {
                Image => ArgumentCompletion.Images,
                Network => ArgumentCompletion.Networks,
                Volume => ArgumentCompletion.Volumes,
                _ => ArgumentCompletion.Containers,
            },
        };
        command.Add(format);
        if (type is Any or Container)
        {
            command.Add(size);
        }

        if (type is Any or Image)
        {
            command.Add(platform);
        }

        if (type == Any)
        {
            command.Add(only);
        }

        command.SetAction(result =>
        {
            string wanted = type.Length > 0 ? type : result.TextOf(only) ?? Any;
            Platform? chosen = type is Any or Image ? PullCommand.ParsePlatform(result.TextOf(platform)) : null;
            if (chosen is not null && wanted != Image)
            {
                throw EngineException.Invalid("--platform is for images: give --type image, or use hull image inspect");
            }

            return wanted is Any or Container or Image or Network or Volume
                ? Run(context, command.Positional(result), wanted, type is Any or Container && result.IsOn(size), chosen, result.TextOf(format))
                : throw EngineException.Invalid($"\"{wanted}\" is not a valid value for --type: container, image, network and volume are");
        });
        return command;
    }

    private static int Run(CliContext context, string[] names, string type, bool size, Platform? platform, string? format)
    {
        Template? template = format is null or "json" ? null : Formats.Parse(format);
        List<JsonDocument> found = [];
        int code = 0;
        foreach (string name in names)
        {
            try
            {
                found.Add(Find(context, name, type, size, platform));
            }
            catch (Exception exception)
            {
                code = ErrorReport.Write(exception, null, context);
            }
        }

        if (template is null)
        {
            WriteDocuments(context.Output, found, indented: format is null);
            return code;
        }

        foreach (JsonDocument document in found)
        {
            context.Output.WriteLine(template.Execute(TemplateValue.Of(document.RootElement)));
        }

        return code;
    }

    private static JsonDocument Find(CliContext context, string name, string type, bool size, Platform? platform)
    {
        if (type == Network)
        {
            return JsonDocument.Parse(context.Engine.InspectNetwork(name).ToJsonString());
        }

        if (type == Volume)
        {
            return InspectVolume(context, name);
        }

        if (type != Image && context.Engine.Containers.TryFind(name) is { } id)
        {
            JsonObject container = context.Engine.Inspect(id);
            if (size)
            {
                ContainerSize sizes = ContainerSize.Of(context, id);
                container["SizeRw"] = sizes.Own;
                container["SizeRootFs"] = sizes.Virtual;
            }

            return JsonDocument.Parse(container.ToJsonString());
        }

        if (type == Container)
        {
            // Says which names are near.
            context.Engine.Find(name);
        }

        ImageMatch match = context.Images.Find(name, platform);
        if (type == Any && match.Image is null && context.Engine.TryFindNetwork(name) is { } network)
        {
            return JsonDocument.Parse(context.Engine.InspectNetwork(network.Id).ToJsonString());
        }

        if (type == Any && match.Image is null && ContainerName.IsValid(name) && context.Engine.Volumes.Exists(name))
        {
            return InspectVolume(context, name);
        }

        return match.Image is { } image ? JsonDocument.Parse(ImageDocument.Of(context.Images, image).ToJsonString())
            : type == Image ? throw EngineException.NotFound(match.Problem!)
            : throw EngineException.NotFound(context.Engine.Containers.NoSuchContainer(name, null).Replace("No such container", "No such object", StringComparison.Ordinal));
    }

    private static JsonDocument InspectVolume(CliContext context, string name) =>
        JsonDocument.Parse(VolumeDocument.Of(context.Engine.Volumes, context.Engine.Volumes.Read(name)).ToJsonString());

    /// <summary>One array, indented by four spaces as docker's, or on one line.</summary>
    private static void WriteDocuments(TextWriter output, List<JsonDocument> documents, bool indented)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions
        {
            Indented = indented,
            IndentSize = 4,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
        {
            writer.WriteStartArray();
            foreach (JsonDocument document in documents)
            {
                document.RootElement.WriteTo(writer);
            }

            writer.WriteEndArray();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length));
    }
}
