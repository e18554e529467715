namespace Hull.Images.Registry;

/// <summary>What proves who asks. Never printed: <see cref="ToString"/> says only the kind.</summary>
internal abstract record RegistryCredential
{
    /// <summary>User and password, sent as Basic to the registry or to its token server.</summary>
    internal sealed record Password(string User, string Secret) : RegistryCredential
    {
        public override string ToString() => "password";
    }

    /// <summary>An OAuth2 refresh token, exchanged at the token server (docker's <c>identitytoken</c>).</summary>
    internal sealed record IdentityToken(string Token) : RegistryCredential
    {
        /// <summary>Whose it is; null where that is not known.</summary>
        public string? User { get; init; }

        public override string ToString() => "identity token";
    }

    /// <summary>A bearer token for the registry itself (docker's <c>registrytoken</c>).</summary>
    internal sealed record RegistryToken(string Token) : RegistryCredential
    {
        public override string ToString() => "registry token";
    }
}
