using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Init;

/// <summary>Plans the execution domain, personality(2), that linux.personality asks for.</summary>
internal static class PersonalityPlan
{
    private const int Linux = 0x0000;
    private const int Linux32 = 0x0008;

    public static void Add(InitPlan plan, Personality? personality)
    {
        if (personality is null)
        {
            return;
        }

        int domain = personality.Domain switch
        {
            "LINUX" => Linux,
            "LINUX32" => Linux32,
            _ => throw new ContainerException(ContainerFault.Engine, $"linux.personality.domain: '{personality.Domain}' is not one of LINUX, LINUX32"),
        };
        if (personality.Flags is { Count: > 0 } flags)
        {
            // "no flag values are supported" (config-linux.md, personality).
            throw new ContainerException(ContainerFault.Engine, $"linux.personality.flags: the specification has none, '{flags[0]}' means nothing");
        }

        plan.Call("personality", SystemCallNumbers.personality, personality.Domain, "what uname(2) says of the machine", [PlanArgument.Named(domain, personality.Domain)]);
    }
}
