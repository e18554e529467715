using System.Globalization;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>When a monitor starts its container again.</summary>
public enum RestartCondition
{
    No,
    /// <summary>After an exit code other than 0.</summary>
    OnFailure,
    Always,
    /// <summary>Always, but not once a user has stopped it, a restart of the host included.</summary>
    UnlessStopped,
}

/// <summary>--restart: <c>no|on-failure[:N]|always|unless-stopped</c>.</summary>
public sealed record RestartPolicy
{
    public RestartCondition Condition { get; init; }
    /// <summary>With OnFailure: give up after so many restarts; 0: never.</summary>
    public int MaximumRetryCount { get; init; }

    /// <summary>Docker's word for the condition.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Name => Condition switch
    {
        RestartCondition.OnFailure => "on-failure",
        RestartCondition.Always => "always",
        RestartCondition.UnlessStopped => "unless-stopped",
        _ => "no",
    };

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static RestartPolicy Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        int count = 0;
        if (colon >= 0 && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out count)))
        {
            throw EngineException.Invalid("invalid restart policy format: maximum retry count must be an integer");
        }

        RestartCondition condition = name switch
        {
            "" or "no" => RestartCondition.No,
            "on-failure" => RestartCondition.OnFailure,
            "always" => RestartCondition.Always,
            "unless-stopped" => RestartCondition.UnlessStopped,
            _ => throw EngineException.Invalid(
                $"invalid restart policy: unknown policy '{FlagText.Printable(name)}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"),
        };
        if (count != 0 && condition != RestartCondition.OnFailure)
        {
            throw EngineException.Invalid(
                "invalid restart policy: maximum retry count can only be used with 'on-failure'");
        }

        if (count < 0)
        {
            throw EngineException.Invalid("invalid restart policy: maximum retry count cannot be negative");
        }

        return new RestartPolicy { Condition = condition, MaximumRetryCount = count };
    }
}
