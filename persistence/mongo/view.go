package mongo

import "go.mongodb.org/mongo-driver/v2/bson"

// stepsViewName is the view that has one document per step and role.
const stepsViewName = "steps"

// stepsView unwinds chunks. Fields that it passes on unchanged (episode_id,
// session_id) still use the indexes of step_chunks.
func stepsView() bson.A {
	at := func(column string) bson.D {
		return bson.D{{Key: "$arrayElemAt", Value: bson.A{"$" + column, "$i"}}}
	}
	role := func(column string) bson.D { return at("roles." + column) }
	// optional columns may be absent or empty
	optional := func(column string) bson.D {
		return bson.D{{Key: "$ifNull", Value: bson.A{role(column), nil}}}
	}
	ofStep := func(list string) bson.D {
		return bson.D{{Key: "$filter", Value: bson.D{
			{Key: "input", Value: bson.D{{Key: "$ifNull", Value: bson.A{"$roles." + list, bson.A{}}}}},
			{Key: "cond", Value: bson.D{{Key: "$eq", Value: bson.A{"$$this.step", "$step"}}}},
		}}}
	}
	upToStep := bson.D{{Key: "$filter", Value: bson.D{
		{Key: "input", Value: bson.D{{Key: "$ifNull", Value: bson.A{"$roles.policy_versions", bson.A{}}}}},
		{Key: "cond", Value: bson.D{{Key: "$lte", Value: bson.A{"$$this.step", "$step"}}}},
	}}}
	return bson.A{
		bson.D{{Key: "$addFields", Value: bson.D{
			{Key: "i", Value: bson.D{{Key: "$range", Value: bson.A{0, "$count"}}}},
		}}},
		bson.D{{Key: "$unwind", Value: "$i"}},
		bson.D{{Key: "$addFields", Value: bson.D{
			{Key: "step", Value: bson.D{{Key: "$add", Value: bson.A{"$first_step", "$i"}}}},
		}}},
		bson.D{{Key: "$unwind", Value: "$roles"}},
		bson.D{{Key: "$project", Value: bson.D{
			{Key: "_id", Value: 0},
			{Key: "chunk_id", Value: "$_id"},
			{Key: "index_in_chunk", Value: "$i"},
			{Key: "episode_id", Value: 1},
			{Key: "session_id", Value: 1},
			{Key: "step", Value: 1},
			{Key: "role", Value: "$roles.role"},
			{Key: "live", Value: role("live")},
			{Key: "source", Value: role("sources")},
			{Key: "action", Value: role("actions")},
			{Key: "policy_action", Value: optional("policy_actions")},
			{Key: "reward", Value: role("rewards")},
			{Key: "human_reward", Value: optional("human_rewards")},
			{Key: "terminated", Value: role("terminated")},
			{Key: "truncated", Value: role("truncated")},
			{Key: "observation", Value: optional("observation_values")},
			{Key: "inputs", Value: ofStep("inputs")},
			{Key: "info", Value: bson.D{{Key: "$ifNull", Value: bson.A{
				bson.D{{Key: "$getField", Value: bson.D{
					{Key: "field", Value: "info"},
					{Key: "input", Value: bson.D{{Key: "$first", Value: ofStep("infos")}}},
				}}}, nil}}}},
			{Key: "policy_version", Value: bson.D{{Key: "$ifNull", Value: bson.A{
				bson.D{{Key: "$getField", Value: bson.D{
					{Key: "field", Value: "version"},
					{Key: "input", Value: bson.D{{Key: "$last", Value: upToStep}}},
				}}}, nil}}}},
			{Key: "runner_offset_us", Value: at("runner_offset_us")},
			{Key: "runner_tick_lateness_us", Value: at("runner_tick_lateness_us")},
			{Key: "server_received_at", Value: 1},
			{Key: "server_received_at_us", Value: 1},
		}}},
	}
}
