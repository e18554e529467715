namespace Hull.Networking;

/// <summary>What kind of failure a network operation met; a front end turns it into an exit code or a status.</summary>
public enum NetworkError
{
    /// <summary>No such network or endpoint.</summary>
    NotFound,

    /// <summary>The user's words are wrong: a subnet, an address, a port, an option.</summary>
    Invalid,

    /// <summary>A name, an address, a port or the network itself is in use.</summary>
    Conflict,

    /// <summary>The host lacks something: a kernel feature, free subnets, a privilege.</summary>
    Host,
}

/// <summary>A network operation that failed, in words that a person can act on.</summary>
public sealed class NetworkException(NetworkError kind, string message, Exception? inner = null) : Exception(message, inner)
{
    public NetworkError Kind { get; } = kind;

    public static NetworkException Invalid(string message) => new(NetworkError.Invalid, message);

    public static NetworkException Conflict(string message) => new(NetworkError.Conflict, message);
}
