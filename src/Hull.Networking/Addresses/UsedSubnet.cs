namespace Hull.Networking.Addresses;

/// <summary>A subnet that a new network must stay away from.</summary>
/// <param name="Network">The network of hull's that has it; null for a route of the host's.</param>
/// <param name="Link">The link that the host's route goes through.</param>
public sealed record UsedSubnet(Subnet Subnet, string? Network, string? Link = null)
{
    public override string ToString() => Network is not null ? $"{Subnet} of network {Network}" : $"the host's route {Subnet}" + (Link is null ? "" : $" through {Link}");
}
