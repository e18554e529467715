using System.Text.Json.Serialization;

namespace Hull.Oci.RuntimeSpec;

/// <summary>The wire form of the runtime-spec documents: camel case, absent where null, numbers as numbers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = false)]
[JsonSerializable(typeof(Spec))]
[JsonSerializable(typeof(Process))]
[JsonSerializable(typeof(State))]
[JsonSerializable(typeof(ContainerProcessState))]
[JsonSerializable(typeof(LinuxResources))]
[JsonSerializable(typeof(Seccomp))]
public sealed partial class RuntimeSpecJson : JsonSerializerContext;
