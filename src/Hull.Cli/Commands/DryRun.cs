using System.Text.Json;
using Hull.Cli.Output;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Images;
using Hull.Oci.RuntimeSpec;

namespace Hull.Cli.Commands;

/// <summary><c>run --dry-run</c>: what would be handed to the kernel. No container is recorded, no name claimed.</summary>
internal static class DryRun
{
    public const string Plan = "plan";
    private const string SpecForm = "spec";

    public static int Run(CliContext context, CreateRequest request, string form, PullRequest pull)
    {
        if (form is not (Plan or SpecForm))
        {
            throw EngineException.Invalid($"invalid dry run: '{form}': spec and plan are there");
        }

        CliContext.RequireRoot();
        Image image = Creation.FindImage(context, request, pull);
        ContainerConfig container = context.Engine.Configure(request, image);
        Spec spec = context.Engine.BuildSpec(container);
        if (form == SpecForm)
        {
            context.Output.WriteLine(IndentedJson.Of(JsonSerializer.SerializeToElement(spec, RuntimeSpecJson.Default.Spec)));
            return 0;
        }

        foreach (string step in DryRunPlan.Describe(context, container, spec))
        {
            context.Output.WriteLine(step);
        }

        return 0;
    }
}
