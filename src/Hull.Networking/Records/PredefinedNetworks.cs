namespace Hull.Networking.Records;

/// <summary>host and none: nothing of them is on disk, and they are the same on every machine.</summary>
internal static class PredefinedNetworks
{
    public static readonly IReadOnlyList<NetworkConfig> All = [Make(NetworkDrivers.HostNetwork, NetworkDrivers.Host, 'a'), Make(NetworkDrivers.NoneNetwork, NetworkDrivers.Null, 'b')];

    public static NetworkConfig? Find(string reference) =>
        All.FirstOrDefault(one => one.Name == reference || (reference.Length >= 12 && one.Id.StartsWith(reference, StringComparison.Ordinal)));

    private static NetworkConfig Make(string name, string driver, char digit) =>
        new() { Id = new string(digit, 64), Name = name, Driver = driver, Created = DateTimeOffset.UnixEpoch };
}
