using Hull.Networking;

namespace Hull.Engine.Networks;

/// <summary>Errors of the networks' floor in the engine's kinds.</summary>
internal static class NetworkFailure
{
    public static EngineException Wrap(NetworkException error) => new(
        error.Kind switch
        {
            NetworkError.NotFound => EngineErrorKind.NotFound,
            NetworkError.Invalid => EngineErrorKind.Invalid,
            NetworkError.Conflict => EngineErrorKind.Conflict,
            _ => EngineErrorKind.System,
        },
        error.Message, error);
}
